import { test } from 'tap';
import { acceptsGzip, negotiateType } from '../../../services/prometheus/negotiation.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const OPEN_0 = 'application/openmetrics-text; version=0.0.1; charset=utf-8';

test('the format follows Accept', async (t) => {
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
    'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  const cases: [string | undefined, string][] = [
    [undefined, TEXT],
    ['', TEXT],
    ['*/*', TEXT],
    ['text/html,*/*;q=0.8', TEXT],
    ['text/plain', TEXT],
    ['text/plain;version=1.0.0', TEXT],
    ['application/json', TEXT],
    ['application/openmetrics-text', OPEN],
    ['Application/OpenMetrics-Text; Version=1.0.0', OPEN],
    ['application/openmetrics-text; version="1.0.0"; charset=utf-8', OPEN],
    ['application/openmetrics-text;version=0.0.1', OPEN_0],
    ['application/openmetrics-text;version=2.0.0', TEXT],
    ['application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', OPEN_0],
    ['application/openmetrics-text;q=0.2,text/plain;q=0.9', TEXT],
    ['application/openmetrics-text;q=0', TEXT],
    ['application/openmetrics-text;q=0,*/*', TEXT],
    ['text/plain;q=0,application/openmetrics-text;q=0.1', OPEN],
    ['application/openmetrics-text;q=oops,text/plain;q=0.1', TEXT],
    ['text/plain,application/openmetrics-text', TEXT],
    [prometheus3, OPEN],
  ];
  for (const [accept, contentType] of cases) t.equal(negotiateType(accept).contentType, contentType, String(accept));
});

test('gzip follows Accept-Encoding', async (t) => {
  const yes = [
    'gzip',
    'GZIP',
    'x-gzip',
    'gzip, deflate, br',
    'gzip;q=0.5',
    '*',
    'br;q=1, gzip;q=0.001',
    'identity;q=0.5,gzip',
  ];
  const no = [
    undefined,
    '',
    'deflate',
    'identity',
    'gzip;q=0',
    'gzip;q=0.000',
    '*;q=0',
    'gzip;q=0,*',
    'gzip;q=0.1,identity;q=0.9',
  ];
  for (const encoding of yes) t.ok(acceptsGzip(encoding), encoding);
  for (const encoding of no) t.notOk(acceptsGzip(encoding), String(encoding));
});

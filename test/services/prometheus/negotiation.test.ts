import { test } from 'tap';
import { acceptsGzip, negotiateType } from '../../../services/prometheus/negotiation.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const TEXT_1 = 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores';
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores';
const OPEN_UTF8 = 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8';
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
    ['text/plain;version=1.0.0', TEXT_1],
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
    [prometheus3, OPEN_UTF8],
    ['text/plain;version="1.0.0";q=0.5,application/vnd.google.protobuf;proto="a,b;c"', TEXT_1],
    ['application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited', TEXT],
    ['*/*, application/openmetrics-text', OPEN],
    ['text/*;q=0.5, application/openmetrics-text;q=0.5', OPEN],
    ['application/openmetrics-text;q=0.5, */*', TEXT],
    ['application/*', OPEN],
    ['application/*, text/plain', TEXT],
    ['text/*', TEXT],
    ['text/plain;q=0, */*;q=0.1', OPEN],
    ['text/plain;q=0, text/*', TEXT],
    ['text/plain;version=1.0.0;q=0, */*', TEXT],
    ['text/plain;version=1.0.0;x="; q=0",application/openmetrics-text;q=0.9', TEXT_1],
  ];
  for (const [accept, contentType] of cases) t.equal(negotiateType(accept).contentType, contentType, String(accept));
});

test('the escaping scheme follows Accept, is named in the answer, and an early version has no names in quotes', async (t) => {
  const schemes: [string, string][] = [
    ['allow-utf-8', 'allow-utf-8'],
    ['allow-utf8', 'allow-utf-8'], // as the page on negotiation spells it
    ['underscores', 'underscores'],
    ['dots', 'dots'],
    ['values', 'values'],
    ['Values', 'values'],
    ['none', 'underscores'],
    ['dots\r\nx: y', 'underscores'],
  ];
  for (const [asked, escaping] of schemes) {
    for (const type of ['text/plain', 'application/openmetrics-text']) {
      const contentType = `${type}; version=1.0.0; charset=utf-8; escaping=${escaping}`;
      t.match(negotiateType(`${type};version=1.0.0;escaping=${asked}`), { escaping, contentType });
    }
  }
  t.match(negotiateType('text/plain;version=0.0.4;escaping=allow-utf-8'), {
    escaping: 'underscores',
    contentType: TEXT,
  });
  t.match(negotiateType('application/openmetrics-text;version=0.0.1;escaping=allow-utf-8'), { contentType: OPEN_0 });
  t.match(negotiateType('text/plain;version=0.0.4;escaping=values'), { contentType: `${TEXT}; escaping=values` });
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

test('a hostile header is read in no time', async (t) => {
  const hostile = [
    `"${'\\"'.repeat(4000)}`,
    `"${'\\'.repeat(8000)}`,
    'a;'.repeat(4000),
    'a,"'.repeat(2700),
    ';="'.repeat(2700),
  ];
  const start = performance.now();
  for (const header of hostile) {
    t.equal(negotiateType(header).contentType, TEXT);
    t.notOk(acceptsGzip(header));
  }
  t.ok(performance.now() - start < 150, `${performance.now() - start} ms`);
});

import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { type MetricsText, type ProgramState, ScrapeTimeout } from '../../../services/operations/port.ts';
import { parsePrometheusText, total } from '../../harness/prometheus-text.ts';
import { valueAt } from '../../runtime/metrics/fixture.ts';
import { ask, READY, startServer } from './fixture.ts';

const ERRORS = 'wippy_telemetry_server_errors_total';

test('rule 5: what was counted is what is scraped, in both formats, plain and packed', async (t) => {
  const { port, collector } = await startServer(t);
  collector
    .counter({ name: 'jobs_total', help: 'h', unit: '1', labels: ['q'] })
    .bind({ q: 'a' })
    .add(1);
  for (const accept of ['text/plain', 'application/openmetrics-text']) {
    const plain = await ask(port, '/metrics', { accept });
    t.match(plain.headers['content-type'], accept);
    t.equal(plain.headers['cache-control'], 'no-store');
    t.equal(total(parsePrometheusText(plain.text), 'wippy_jobs_total'), 1);
    const packed = await ask(port, '/metrics', { accept, 'accept-encoding': 'gzip' });
    t.equal(packed.headers['content-encoding'], 'gzip');
    t.equal(gunzipSync(packed.body).toString(), plain.text);
    const head = await ask(port, '/metrics', { accept }, 'HEAD');
    t.equal(head.text, '');
    t.equal(head.headers['content-length'], plain.headers['content-length']);
    t.equal(head.headers['content-type'], plain.headers['content-type']);
  }
});

test('rule 100: a throwing handler answers 500, is logged once per episode and counted each time; the process lives', async (t) => {
  let isBroken = true;
  const render = async () => {
    if (isBroken) throw new Error('renderer broke');
    return { contentType: 'text/plain', contentEncoding: undefined, body: Buffer.from('fine') };
  };
  const { port, collector, lines } = await startServer(t, { metrics: { render } });
  const told = { status: 500, text: 'the metrics could not be rendered: renderer broke' };
  for (let i = 0; i < 3; i += 1) t.match(await ask(port, '/metrics'), told);
  t.equal(valueAt(collector, ERRORS, { reason: 'handler' }), 3);
  const logged = () => lines.filter((line) => line.level === 'error' && line.fields?.error === 'renderer broke').length;
  t.equal(logged(), 1);
  isBroken = false;
  t.equal((await ask(port, '/metrics')).text, 'fine');
  isBroken = true;
  await ask(port, '/metrics');
  t.equal(logged(), 2);
});

test('rule 100: a throwing predicate answers 500 on the probes and nowhere else', async (t) => {
  const state = (): ProgramState => {
    throw new Error('no state');
  };
  const { port, collector, lines } = await startServer(t, { state });
  t.equal((await ask(port, '/readyz')).status, 500);
  t.equal((await ask(port, '/healthz')).status, 500);
  t.equal(valueAt(collector, ERRORS, { reason: 'predicate' }), 2);
  t.equal(lines.filter((line) => line.level === 'error').length, 1);
  t.equal((await ask(port, '/metrics')).status, 200);
});

test('rule 9: no error series before the first error', async (t) => {
  const { port, collector } = await startServer(t, { state: () => READY });
  await ask(port, '/metrics');
  t.equal(valueAt(collector, ERRORS, { reason: 'handler' }), undefined);
  const { families } = parsePrometheusText((await ask(port, '/metrics')).text);
  t.equal(families.size, 0);
});

test('what Prometheus says it waits is passed on; nonsense is not', async (t) => {
  const waits: (number | undefined)[] = [];
  const render: MetricsText['render'] = async ({ timeoutMs }) => {
    waits.push(timeoutMs);
    if (timeoutMs === 250) throw new ScrapeTimeout(timeoutMs);
    return { contentType: 'text/plain', contentEncoding: undefined, body: Buffer.from('fine') };
  };
  const { port } = await startServer(t, { metrics: { render } });
  for (const seconds of ['10', '0.5', 'soon', '-1', '0', 'Infinity']) {
    t.equal((await ask(port, '/metrics', { 'x-prometheus-scrape-timeout-seconds': seconds })).status, 200, seconds);
  }
  await ask(port, '/metrics');
  t.strictSame(waits, [10_000, 500, undefined, undefined, undefined, undefined, undefined]);
  const late = await ask(port, '/metrics', { 'x-prometheus-scrape-timeout-seconds': '0.25' });
  t.match(late, { status: 503, text: /within the 250 ms/ });
});

test('only GET and HEAD, and only where the metrics are', async (t) => {
  const { port } = await startServer(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    t.match(await ask(port, '/metrics', {}, method), { status: 405, headers: { allow: 'GET, HEAD' } }, method);
  }
  t.equal((await ask(port, '/metrics/x')).status, 404);
  t.equal((await ask(port, '/metrics?a=b')).status, 200);
});

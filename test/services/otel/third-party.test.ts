import http, { Agent, createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics, trace } from '@opentelemetry/api';
import { test } from 'tap';
import type { CallContext } from '../../../runtime/context.ts';
import { CallError } from '../../../runtime/errors.ts';
import { BAGGAGE } from '../../../runtime/trace.ts';
import { startOtlpCollector } from '../../harness/otlp-collector.ts';
import { textFormatter } from '../prometheus/format.ts';
import { startOtel } from './start-otel.ts';

interface Teardown {
  teardown(body: () => Promise<void>): void;
}
interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly port: number | undefined;
}

/** Answers `/<status>` with that status; keeps what it was asked. `/never` gets no answer. */
const startTarget = async (t: Teardown) => {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ headers: request.headers, raw: request.rawHeaders, port: request.socket.remotePort });
    if (request.url?.startsWith('/never')) return;
    const status = Number(request.url?.slice(1, 4));
    response.writeHead(Number.isNaN(status) ? 200 : status).end('body');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
};

interface RequestOptions {
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
  readonly onRequest?: (request: http.ClientRequest) => void;
}
/** As the http_client surface does it: `http.request` of the default export. */
const get = (url: string, options: RequestOptions = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { headers: options.headers, agent: options.agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject).end();
    options.onRequest?.(request);
  });

/** A program with its globals registered, a collector to export to and a server to call. */
const startProgram = async (t: Teardown, section: Record<string, unknown> = {}) => {
  const backend = await startOtlpCollector();
  const target = await startTarget(t);
  const started = startOtel(t, {
    enabled: true,
    metrics_enabled: true,
    endpoint: backend.url,
    batch: { schedule_delay: 600_000 },
    ...section,
  });
  started.otel.registerGlobals();
  t.teardown(async () => {
    started.otel.unregisterGlobals();
    await backend.close();
  });
  const inScope = (body: (context: CallContext) => Promise<unknown>) =>
    started.call('app:f', (context) => started.otel.thirdParty.run(context, () => body(context)));
  return { ...started, backend, target, inScope };
};

test('rule 48: a request of http_client is a client span in the trace of its caller, with one traceparent', async (t) => {
  const { otel, backend, target, inScope } = await startProgram(t);
  await inScope(() =>
    get(`${target.url}/200?a=1&X-Amz-Signature=geheim`, { headers: { TraceParent: 'mine', 'x-a': '1' } }),
  );
  await otel.flush(20_000);

  const caller = backend.span({ name: 'app:f' });
  const client = backend.span({ name: 'GET', kind: 'client', parent: caller, status: 'unset' });
  t.equal(client.traceId, caller.traceId);
  const [seen] = target.seen;
  t.equal(seen?.headers.traceparent, `00-${client.traceId}-${client.spanId}-01`);
  t.equal(seen?.raw.filter((name) => name.toLowerCase() === 'traceparent').length, 1);
  t.equal(seen?.headers['x-a'], '1');
  t.match(client.attributes, {
    'http.request.method': 'GET',
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(target.url).port),
    'url.full': `${target.url}/200?a=REDACTED&X-Amz-Signature=REDACTED`,
    'http.response.status_code': 200,
    'network.protocol.version': '1.1',
  });
  t.notOk('error.type' in client.attributes);
  t.notOk('http.method' in client.attributes, 'stable conventions only');
});

test('baggage and tracestate go out too', async (t) => {
  const { otel, target, call } = await startProgram(t);
  await call('app:f', (context) => {
    const carrying = context.with(BAGGAGE, ['user=1;secret']);
    return otel.thirdParty.run(carrying, () => get(`${target.url}/200`));
  });
  t.equal(target.seen[0]?.headers.baggage, 'user=1;secret');
});

test('rule 50: client spans are errors from 400 on and without a response, with a type', async (t) => {
  const { otel, backend, target, inScope } = await startProgram(t);
  await inScope(() => get(`${target.url}/404`));
  await inScope(() => get(`${target.url}/302`));
  await inScope(() => get('http://127.0.0.1:1/').catch(() => 'refused'));
  const gone = new CallError('too slow', { kind: 'Timeout' });
  const cut = (request: http.ClientRequest) => request.destroy(gone);
  await inScope(() => get(`${target.url}/never`, { onRequest: cut }).catch(() => 'cut'));
  await otel.flush(20_000);

  const clients = backend.spans({ kind: 'client' });
  const outcome = clients.map((span) => `${span.status} ${span.attributes['error.type'] ?? '-'}`);
  t.same(outcome, ['error 404', 'unset -', 'error ECONNREFUSED', 'error Timeout']);
  t.same(
    clients.map((span) => span.events.map((event) => event.name)),
    [[], [], ['exception'], ['exception']],
  );
});

test('rule 49: pooled connections stay pooled', async (t) => {
  const { otel, backend, target, inScope } = await startProgram(t);
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < 3; i++) await inScope(() => get(`${target.url}/200`, { agent }));
  agent.destroy();
  await otel.flush(20_000);
  t.equal(new Set(target.seen.map((seen) => seen.port)).size, 1, 'one connection');
  t.equal(backend.spans({ kind: 'client' }).length, 3);
});

test('a caller that is not sampled: no span, and a header that says so', async (t) => {
  const { otel, backend, target, inScope } = await startProgram(t, { sample_rate: 0 });
  await inScope(() => get(`${target.url}/200`));
  await otel.flush(20_000);
  t.same(backend.spans(), []);
  t.match(target.seen[0]?.headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test('rule 59: exports make no spans of their own, and registering twice gives one span', async (t) => {
  const { otel, backend, target, inScope } = await startProgram(t);
  t.equal(otel.registerGlobals(), true);
  await inScope(async () => {
    await get(`${target.url}/200`);
    await otel.flush(20_000); // within a scope: the export must still not be traced
  });
  await otel.flush(20_000);
  t.equal(backend.spans({ kind: 'client' }).length, 1);
  t.ok(backend.requests.length > 1);
  t.notOk(backend.requests.some((request) => 'traceparent' in request.headers));
});

test('rule 90: a second program in the process leaves the globals alone, and says so', async (t) => {
  await startProgram(t);
  const provider = trace.getTracerProvider();
  const second = startOtel(t, { enabled: true });
  t.equal(second.otel.registerGlobals(), false);
  second.otel.unregisterGlobals();
  t.equal(second.linesAt('warn').length, 1);
  t.equal(trace.getTracerProvider(), provider);
});

test('after unregisterGlobals nothing is patched, and the scope does no harm', async (t) => {
  const plain = http.request;
  const { otel, backend, target, inScope } = await startProgram(t);
  t.not(http.request, plain, 'patched while registered');
  otel.unregisterGlobals();
  t.equal(http.request, plain);
  t.equal(await inScope(() => get(`${target.url}/200`)), 200);
  await otel.flush(20_000);
  t.same(backend.spans({ kind: 'client' }), []);
});

test('httpClientSpans: without the globals (embedded) http is never touched', async (t) => {
  const plain = http.request;
  startOtel(t, { enabled: true });
  t.equal(http.request, plain);
});

test('third-party metrics: one family per name, without what is ours', async (t) => {
  const { otel, backend, collector, value, linesAt } = await startProgram(t);
  const text = async () =>
    textFormatter()({ capture: () => ({ time: 0, families: [] }) }, await otel.thirdPartyFamilies());
  t.match(
    await text(),
    /^# HELP target_info .*\n# TYPE target_info gauge\ntarget_info\{.*service_name="[^"]+".*\} 1\n$/,
  );
  collector.counter({ name: 'calls_total', help: 'h', unit: '1', labels: [] }).bind({}).add(1);

  metrics.getMeter('lib-a', '1.0').createCounter('jobs.done', { description: 'Jobs' }).add(2, { kind: 'x' });
  metrics.getMeter('lib-b').createCounter('jobs.done', { description: 'Jobs' }).add(3);
  metrics.getMeter('lib-b').createCounter('wippy_calls_total').add(99);
  metrics.getMeter('lib-c').createGauge('temperature').record(Number.NaN);
  metrics.getMeter('lib-c').createHistogram('waited').record(Number.POSITIVE_INFINITY);
  metrics.getMeter('lib-c').createUpDownCounter('jobs.done.total').add(1); // exported under the counter's name
  t.equal(
    (await text()).split('\n').slice(3).join('\n'),
    [
      '# HELP jobs_done_total Jobs',
      '# TYPE jobs_done_total counter',
      'jobs_done_total{kind="x",otel_scope_name="lib-a",otel_scope_version="1.0"} 2',
      'jobs_done_total{otel_scope_name="lib-b"} 3',
      '',
    ].join('\n'),
  );
  await text();
  const refused = value('wippy_telemetry_init_errors_total', { component: 'telemetry', reason: 'instrument' });
  t.equal(refused, 3, 'one of ours, one of another kind and one without an end, each once');
  t.equal(linesAt('warn').length, 3);

  await otel.flush(20_000);
  t.match(
    backend.points('jobs.done').map((point) => [point.scope.name, point.value]),
    [
      ['lib-a', 2],
      ['lib-b', 3],
    ],
  );
  t.same(backend.points('temperature'), [], 'rule 32: no NaN, in either sink');
  t.same(backend.points('waited'), [], 'and nothing infinite');
  t.equal(backend.point('wippy_calls_total').value, 1, 'ours, and only ours');
  t.equal(backend.points('wippy_calls_total').length, 1);
  await otel.shutdown(20_000);
  t.same(await otel.thirdPartyFamilies(), [], 'after the end it is empty, and does not fail');
});

test('rule 101: a callback of a third party that throws costs its own series, is counted, and told once per episode', async (t) => {
  const { otel, backend, value, linesAt } = await startProgram(t);
  let isBroken = true;
  const meter = metrics.getMeter('lib-a');
  meter.createCounter('fine').add(1);
  meter.createObservableGauge('broken').addCallback((result) => {
    if (isBroken) throw new Error('no reading');
    result.observe(5);
  });
  const names = async () => (await otel.thirdPartyFamilies()).map(({ family }) => family.name);
  const failures = () => value('wippy_telemetry_callback_errors_total', { metric: 'third_party' });
  const warnings = () => linesAt('warn').filter(({ fields }) => /no reading/.test(String(fields?.error))).length;
  for (let i = 1; i <= 2; i += 1) {
    t.strictSame(await names(), ['target_info', 'fine_total']);
    t.equal(failures(), i);
    t.equal(warnings(), 1);
  }
  isBroken = false;
  t.strictSame(await names(), ['target_info', 'fine_total', 'broken']);
  isBroken = true;
  t.strictSame(await names(), ['target_info', 'fine_total'], 'no old value');
  t.equal(failures(), 3);
  t.equal(warnings(), 2);

  isBroken = false;
  await otel.flush(20_000);
  t.equal(backend.points('broken').length, 1);
  isBroken = true;
  await otel.flush(20_000);
  t.equal(backend.points('broken').length, 1, 'nor in OTLP');
  t.equal(backend.points('fine').length, 2);
});

test('instrumentation of HTTP records no metrics of its own beside ours', async (t) => {
  const { otel, backend, target, inScope } = await startProgram(t);
  await inScope(() => get(`${target.url}/200`));
  await otel.flush(20_000);
  t.same(
    (await otel.thirdPartyFamilies()).map(({ family }) => family.name),
    ['target_info'],
  );
  t.ok(backend.span({ kind: 'client' }));
});

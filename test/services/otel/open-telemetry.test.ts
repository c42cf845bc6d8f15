import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { DURATION_SECONDS } from '../../../runtime/metrics/instruments.ts';
import { TRACE } from '../../../runtime/trace.ts';
import type { OtelSection } from '../../../services/otel/settings-types.ts';
import type { Variables } from '../../../services/otel/variables.ts';
import { type OtlpCollector, startOtlpCollector } from '../../harness/otlp-collector.ts';
import { poll } from '../../harness/poll.ts';
import { testCertificate, testKey } from '../../harness/test-certificate.ts';
import { startOtel } from './start-otel.ts';

const ON = { enabled: true, metrics_enabled: true, service_name: 'shop' } as const;
/** Nothing leaves by itself within a test: what arrives was flushed. */
const QUIET = { schedule_delay: 600_000 };
const collectorOf = async (t: { teardown(body: () => Promise<void>): void }): Promise<OtlpCollector> => {
  const backend = await startOtlpCollector();
  t.teardown(() => backend.close());
  return backend;
};

for (const protocol of ['http/protobuf', 'http/json'] as const) {
  test(`spans and metrics arrive over ${protocol}, gzipped or not`, async (t) => {
    const backend = await collectorOf(t);
    const { otel, call, collector } = startOtel(
      t,
      { ...ON, endpoint: backend.url, protocol, headers: { 'x-key': 'k' } },
      { OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip' },
    );
    const counter = collector.counter({ name: 'function_calls', help: 'h', unit: '{call}', labels: ['function_id'] });
    counter.bind({ function_id: 'app:f' }).add(2);
    call('outer', (context) => call('inner', () => 1, context));
    t.ok(await otel.flush(20_000));

    const outer = backend.span({ name: 'outer', parent: null, kind: 'internal', status: 'unset' });
    t.equal(backend.span({ name: 'inner', parent: outer }).traceId, outer.traceId);
    const point = backend.point('wippy_function_calls', { function_id: 'app:f' });
    t.match(point, { value: 2, kind: 'sum', isMonotonic: true, temporality: 'cumulative', unit: '{call}' });
    t.ok(outer.endMs >= outer.startMs && Math.abs(outer.startMs - Date.now()) < 60_000);
    t.ok(point.startMs > 0 && point.startMs <= point.timeMs);
    t.match(backend.requests.map((request) => request.path).sort(), ['/v1/metrics', '/v1/traces']);
    for (const { headers } of backend.requests) {
      t.match(headers, { 'x-key': 'k', 'content-type': protocol === 'http/json' ? /json/ : /protobuf/ });
    }
    t.ok(backend.requests.some((request) => request.headers['content-encoding'] === 'gzip'));
  });
}

test('rule 85: spans and metrics carry the same resource', async (t) => {
  const backend = await collectorOf(t);
  const { otel, call, collector } = startOtel(
    t,
    { ...ON, endpoint: backend.url },
    { OTEL_RESOURCE_ATTRIBUTES: 'team=a,host.name=mine' },
  );
  collector.gauge({ name: 'g', help: 'h', unit: '1', labels: [] }).bind({}).set(1);
  call('f', () => 1);
  await otel.flush(20_000);
  const { resource } = backend.span({ name: 'f' });
  t.same(resource, backend.point('wippy_g').resource);
  t.match(resource, {
    'service.name': 'shop',
    'service.version': '1.2.3',
    'service.instance.id': /^[0-9a-f-]{36}$/,
    'host.name': 'mine',
    'os.type': process.platform,
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.language': 'nodejs',
    team: 'a',
  });
  t.not(resource['host.name'], hostname(), 'rule 86: a variable beats what was detected, key by key');
  t.same(otel.resource, resource);
});

test('rules 3, 5, 36: the exporter shows what the collector holds, with its buckets', async (t) => {
  const backend = await collectorOf(t);
  const { otel, collector } = startOtel(t, { ...ON, endpoint: backend.url });
  const inFlight = collector.upDownCounter({ name: 'in_flight', help: 'h', unit: '{call}', labels: [] }).bind({});
  const seconds = collector
    .histogram({ name: 'took', help: 'h', unit: 's', labels: ['q'], boundaries: DURATION_SECONDS })
    .bind({ q: 'a' });
  collector.observe('gauge', { name: 'depth', help: 'h', unit: '1', labels: [] }, {}, () => 5);
  inFlight.add(1);
  inFlight.add(1);
  inFlight.add(-1);
  for (const value of [0.0002, 2, 2]) seconds.observe(value);
  await otel.flush(20_000);
  t.match(backend.point('wippy_in_flight'), { value: 1, kind: 'sum', isMonotonic: false });
  t.match(backend.point('wippy_depth'), { value: 5, kind: 'gauge' });
  const took = backend.point('wippy_took', { q: 'a' });
  t.match(took, { kind: 'histogram', count: 3, min: undefined });
  t.same(took.boundaries, DURATION_SECONDS);
  t.equal(took.bucketCounts.length, DURATION_SECONDS.length + 1);
  t.equal(took.bucketCounts[DURATION_SECONDS.indexOf(0.00025)], 1, 'rule 37: 200 µs');
  t.equal(took.bucketCounts[DURATION_SECONDS.indexOf(2.5)], 2, 'rule 37: 2 s');
  t.equal(backend.points('wippy_in_flight').length, 1, 'one series, one point');

  inFlight.add(-1);
  await otel.flush(20_000);
  t.equal(backend.point('wippy_in_flight').value, 0, 'rule 1');
});

test('delta temporality sends what was added since the last export', async (t) => {
  const backend = await collectorOf(t);
  const { otel, collector } = startOtel(t, { ...ON, endpoint: backend.url, metrics_temporality: 'delta' });
  const calls = collector.counter({ name: 'calls', help: 'h', unit: '1', labels: [] }).bind({});
  const active = collector.upDownCounter({ name: 'active', help: 'h', unit: '1', labels: [] }).bind({});
  const took = collector.histogram({ name: 'took', help: 'h', unit: 's', labels: [], boundaries: [1] }).bind({});
  calls.add(3);
  active.add(2);
  took.observe(0.5);
  await otel.flush(20_000);
  calls.add(4);
  took.observe(5);
  await otel.flush(20_000);
  await otel.flush(20_000);
  const [first, second, ...more] = backend.points('wippy_calls');
  t.match(
    [first, second],
    [
      { value: 3, temporality: 'delta' },
      { value: 4, temporality: 'delta' },
    ],
  );
  t.equal(second?.startMs, first?.timeMs);
  t.same(more, [], 'no change, no point');
  t.match(backend.point('wippy_took'), { count: 1, value: 5, bucketCounts: [0, 1] });
  t.match(backend.point('wippy_active'), { value: 2, temporality: 'cumulative' });
});

test('rule 105: every queued span and the last metric window arrive at shutdown', async (t) => {
  const backend = await collectorOf(t);
  const { otel, call, collector, value } = startOtel(t, { ...ON, endpoint: backend.url, batch: QUIET });
  const calls = collector.counter({ name: 'calls', help: 'h', unit: '1', labels: [] }).bind({});
  for (let i = 0; i < 1200; i++) {
    call('f', () => 1);
    calls.add(1);
  }
  await otel.shutdown(20_000);
  t.equal(backend.spans().length, 1200);
  t.equal(backend.point('wippy_calls').value, 1200);
  t.equal(backend.point('wippy_spans_total', { result: 'exported' }).value, 1200, 'counted before the last window');
  t.equal(value('wippy_spans_total', { result: 'dropped' }), 0);
  const before = backend.requests.length;
  await otel.shutdown(20_000);
  t.equal(backend.requests.length, before, 'rule 110: idempotent');
});

test('spans_total counts exactly what was exported, dropped for a full queue, and failed', async (t) => {
  const backend = await collectorOf(t);
  await backend.behave({ status: 400 });
  const batch = { max_queue_size: 10, max_export_batch_size: 10, schedule_delay: 600_000 };
  const { otel, call, value } = startOtel(t, { enabled: true, endpoint: backend.url, batch });
  const spans = (result: string) => value('wippy_spans_total', { result });
  for (let i = 0; i < 10; i++) call('f', () => 1); // the tenth sends the first batch, which will be refused
  for (let i = 0; i < 15; i++) call('f', () => 1);
  t.equal(spans('dropped'), 5);
  await otel.flush(20_000);
  t.equal(spans('failed'), 20);
  await backend.behave('ok');
  for (let i = 0; i < 4; i++) call('f', () => 1);
  await otel.shutdown(20_000);
  call('f', () => 1);
  t.match(
    [spans('exported'), spans('failed'), spans('dropped')],
    [4, 20, 6],
    'after the end a span is lost, and counted',
  );
  t.equal(backend.spans().length, 4);
});

test('spans that a collector refuses within a request that it takes have failed', async (t) => {
  const backend = await collectorOf(t);
  await backend.behave({ rejects: 3 });
  const { otel, call, value } = startOtel(t, { enabled: true, endpoint: backend.url, batch: QUIET });
  for (let i = 0; i < 5; i++) call('f', () => 1);
  t.ok(await otel.flush(20_000), 'such a request is not to be sent again');
  t.equal(value('wippy_spans_total', { result: 'failed' }), 3);
  t.equal(value('wippy_spans_total', { result: 'exported' }), 2);
  await backend.behave('ok');
  call('f', () => 1);
  await otel.flush(20_000);
  t.equal(value('wippy_spans_total', { result: 'failed' }), 3);
  t.equal(value('wippy_spans_total', { result: 'exported' }), 3);
  await backend.behave({ rejects: 3 });
  call('f', () => 1);
  await otel.flush(20_000);
  t.equal(value('wippy_spans_total', { result: 'failed' }), 4, 'no more than were sent');
  t.equal(value('wippy_telemetry_invalid_observations_total'), 0);
});

for (const protocol of ['http/protobuf', 'http/json'] as const) {
  test(`points that a collector refuses within a request that it takes over ${protocol}: told once per episode, counted each time`, async (t) => {
    const backend = await collectorOf(t);
    const kinds: string[] = [];
    const health = {
      degraded: () => {},
      error: (kind: string) => void kinds.push(kind),
      activity: () => {},
      restarted: () => {},
    };
    const { otel, collector, linesAt, value } = startOtel(
      t,
      { ...ON, traces_enabled: false, protocol, endpoint: backend.url },
      {},
      health,
    );
    collector.dynamic.counterAdd('jobs_total', 1, {});
    const warnings = () => linesAt('warn').filter(({ message }) => /refuses/.test(message));
    for (const [behaviour, episodes] of [
      [{ rejects: 3, why: 'too old' }, 1],
      [{ rejects: 3, why: 'too old' }, 1],
      ['ok', 1],
      [{ rejects: 1, why: 'too new' }, 2],
    ] as const) {
      await backend.behave(behaviour);
      t.ok(await otel.flush(20_000), 'such a request is not to be sent again');
      t.equal(warnings().length, episodes);
    }
    t.match(warnings()[0]?.fields, { exporter: 'otlp_metrics', rejected: 3, error: 'too old' });
    t.strictSame(kinds, ['rejected', 'rejected', 'rejected']);
    t.equal(value('wippy_exporter_calls_total', { exporter: 'otlp_metrics', result: 'success' }), 4);
  });
}

test('rule 119: a failure episode warns once, counts each time, and re-arms on recovery', async (t) => {
  const backend = await collectorOf(t);
  const events: string[] = [];
  const health = {
    degraded: (on: boolean) => void events.push(on ? 'degraded' : 'well'),
    error: (kind: string) => void events.push(kind),
    activity: () => {},
    restarted: () => {},
  };
  const { otel, call, value, linesAt, series } = startOtel(
    t,
    { enabled: true, endpoint: backend.url, batch: QUIET },
    {},
    health,
  );
  const calls = (result: string, kind: string) =>
    value('wippy_exporter_calls_total', { exporter: 'otlp_traces', result, kind });
  const send = async () => {
    call('f', () => 1);
    await otel.flush(20_000);
  };
  const episodes = () => linesAt('warn').filter((line) => line.message.startsWith('telemetry export fails')).length;

  t.equal(series('wippy_exporter_failure_rate')?.value, 0, 'rule 114: there, and 0, before the first export');
  t.equal(series('wippy_exporter_calls_total'), undefined, 'rule 9: no series before its first use');
  await send();
  t.equal(episodes(), 0);
  await backend.behave({ status: 401 });
  await send();
  await send();
  t.equal(episodes(), 1);
  t.match(linesAt('warn').at(0)?.fields, { exporter: 'otlp_traces', kind: 'rejected' });
  t.equal(calls('failure', 'rejected'), 2);
  t.equal(value('wippy_exporter_failure_rate', { exporter: 'otlp_traces' }), 2 / 3);
  await backend.behave('ok');
  await send();
  t.equal(calls('success', 'none'), 2);
  t.equal(linesAt('info').length, 1);
  await backend.behave({ status: 500 });
  await send();
  t.equal(episodes(), 2, 're-armed');
  t.same(
    events.filter((event, i) => event !== events[i - 1]),
    ['rejected', 'degraded', 'rejected', 'degraded', 'well', 'downstream', 'degraded'],
  );
});

test('rule 92: one signal failing leaves the other working', async (t) => {
  const backend = await collectorOf(t);
  const { otel, call, collector, value, linesAt } = startOtel(
    t,
    { ...ON, endpoint: backend.url },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '://x' },
  );
  collector.gauge({ name: 'g', help: 'h', unit: '1', labels: [] }).bind({}).set(1);
  t.equal(
    call('f', () => 7),
    7,
  );
  await otel.flush(20_000);
  t.equal(backend.point('wippy_g').value, 1);
  t.same(backend.spans(), []);
  t.equal(linesAt('warn').length, 1);
  t.match(linesAt('warn')[0]?.message, /^tracing \(exporter otlp\) is off: OTLP endpoint ':\/\/x'/);
  t.equal(value('wippy_telemetry_init_errors_total', { component: 'otel', reason: 'config' }), 1, 'rule 93');
  t.equal(backend.point('wippy_telemetry_init_errors_total').value, 1, 'and visible where metrics arrive');
});

test('rules 88, 89: an endpoint that is none is one warning, for both signals, and names where it is from', async (t) => {
  const cases: readonly (readonly [OtelSection, Variables, RegExp])[] = [
    [ON, { OTEL_EXPORTER_OTLP_ENDPOINT: '://x' }, /':\/\/x' of OTEL_EXPORTER_OTLP_ENDPOINT is not a URL/],
    [{ ...ON, endpoint: '://x' }, {}, /':\/\/x' of otel\.endpoint is not a URL/],
  ];
  for (const [file, variables, message] of cases) {
    const { linesAt, value } = startOtel(t, file, variables);
    t.match(linesAt('warn'), [{ message: /^tracing \(exporter otlp\) and metrics push \(exporter otlp\) are off: / }]);
    t.match(linesAt('warn')[0]?.message, message);
    t.equal(linesAt('warn').length, 1);
    t.equal(value('wippy_telemetry_init_errors_total'), 2);
  }
  const { linesAt } = startOtel(t, ON, {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://x',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'ftp://y',
  });
  t.match(linesAt('warn'), [
    { message: /^tracing .* is off: .*'ftp:\/\/x' of OTEL_EXPORTER_OTLP_TRACES_ENDPOINT / },
    { message: /^metrics push .* is off: .*'ftp:\/\/y' of OTEL_EXPORTER_OTLP_METRICS_ENDPOINT / },
  ]);
});

test('rule 89: whatever the collector is, calls go on, with one warning', async (t) => {
  const plain = createServer(() => {}); // a black hole; to a TLS client, no TLS
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        plain.close(() => resolve());
        plain.closeAllConnections();
      }),
  );
  const { port } = plain.address() as AddressInfo;
  const cases: [string, string | undefined][] = [
    ['', undefined],
    ['://x', undefined],
    ['http://127.0.0.1:1', 'connect'], // refused: nobody listens on port 1
    [`http://127.0.0.1:${port}`, 'timeout'],
    [`https://127.0.0.1:${port}`, 'tls'],
  ];
  for (const [endpoint, kind] of cases) {
    const { otel, call, linesAt, value } = startOtel(
      t,
      { enabled: true, endpoint },
      { OTEL_EXPORTER_OTLP_TIMEOUT: '300' },
    );
    t.equal(
      call('f', () => 1),
      1,
      endpoint,
    );
    await otel.flush(20_000);
    await otel.flush(20_000);
    const warnings = linesAt('warn').filter((line) => !line.message.includes('is incomplete'));
    t.equal(warnings.length, 1, endpoint);
    if (kind === undefined) t.equal(value('wippy_telemetry_init_errors_total'), 1);
    else t.equal(value('wippy_exporter_calls_total', { result: 'failure', kind }), 1, `${endpoint}: ${kind}`);
  }
});

test('rule 105: a queue of more batches than the SDK sends at once by itself arrives whole', async (t) => {
  const backend = await collectorOf(t);
  const batch = { max_queue_size: 100, max_export_batch_size: 1, schedule_delay: 600_000 };
  const { otel, call, value } = startOtel(t, { enabled: true, endpoint: backend.url, batch });
  await backend.behave({ delayMs: 50 });
  for (let i = 0; i < 80; i++) call('f', () => 1);
  await otel.shutdown(20_000);
  t.equal(backend.spans().length, 80);
  t.equal(value('wippy_spans_total', { result: 'exported' }), 80);
});

test('rule 108: a dead collector costs no more than the budget', async (t) => {
  for (const behaviour of ['hang', 'refuse'] as const) {
    const backend = await collectorOf(t);
    await backend.behave(behaviour);
    const { otel, call, linesAt } = startOtel(t, { ...ON, endpoint: backend.url, batch: QUIET });
    call('f', () => 1);
    const began = performance.now();
    await otel.shutdown(300);
    const took = performance.now() - began;
    t.ok(took >= 280 && took < 5000, `${behaviour}: ${took} ms`);
    t.equal(linesAt('warn').filter((line) => line.message.includes('shutdown is incomplete')).length, 1);
    // Well before the export's own timeout of 10 s would end it.
    await poll('what was under way is given up', async () => (await backend.connections()) === 0, { deadlineMs: 6000 });
  }
});

test('rule 125: plain text off loopback is warned about once for both signals', async (t) => {
  const { linesAt } = startOtel(t, { ...ON, endpoint: 'http://collector.invalid:4318' });
  t.match(linesAt('warn'), [{ message: /unencrypted: http:\/\/collector\.invalid:4318/ }]);
});

test('rule 93: a certificate that cannot be read switches the signal off', async (t) => {
  const variables = { OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem' };
  const { call, value, linesAt } = startOtel(t, { enabled: true, metrics_enabled: true }, variables);
  t.equal(
    call('f', () => 1),
    1,
  );
  t.equal(value('wippy_telemetry_init_errors_total', { component: 'otel', reason: 'config' }), 2, 'both signals');
  t.match(linesAt('warn'), [{ message: /are off: OTEL_EXPORTER_OTLP_CERTIFICATE: '\/nowhere\/ca\.pem' .*ENOENT/ }]);
  t.equal(linesAt('warn').length, 1, 'rule 88: told once, with the variable');
});

test('a collector behind TLS that asks for a client certificate', async (t) => {
  const tls = { key: testKey, cert: testCertificate, ca: testCertificate, requestCert: true, rejectUnauthorized: true };
  const backend = await startOtlpCollector({ tls });
  t.teardown(() => backend.close());
  const folder = t.testdir();
  writeFileSync(`${folder}/cert.pem`, testCertificate);
  writeFileSync(`${folder}/key.pem`, testKey);
  const send = async (variables: Record<string, string>) => {
    const { otel, call, value } = startOtel(t, { enabled: true, endpoint: backend.url, batch: QUIET }, variables);
    call('f', () => 1);
    await otel.flush(20_000);
    return value('wippy_exporter_calls_total');
  };
  const trust = { OTEL_EXPORTER_OTLP_CERTIFICATE: `${folder}/cert.pem`, OTEL_EXPORTER_OTLP_TIMEOUT: '500' };
  await send({ OTEL_EXPORTER_OTLP_TIMEOUT: '500' });
  await send(trust);
  t.same(backend.spans(), [], 'not without trust, and not without a certificate of our own');
  await send({
    ...trust,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: `${folder}/cert.pem`,
    OTEL_EXPORTER_OTLP_CLIENT_KEY: `${folder}/key.pem`,
  });
  t.equal(backend.spans().length, 1);
});

test('rule 80: sampling changes no metric', async (t) => {
  const counts = [0, 1].map((sample_rate) => {
    const { call, collector, value } = startOtel(t, { enabled: true, sample_rate });
    const calls = collector.counter({ name: 'calls', help: 'h', unit: '1', labels: [] }).bind({});
    for (let i = 0; i < 50; i++) {
      call('f', (context) => {
        t.match(context.get(TRACE), { flags: sample_rate }); // and the ratio is at work
        calls.add(1);
      });
    }
    return value('wippy_calls');
  });
  t.same(counts, [50, 50]);
});

test('rule 81: the log level has no part in which spans exist', async (t) => {
  const backend = await collectorOf(t);
  const { otel, call, lines } = startOtel(t, { enabled: true, endpoint: backend.url, batch: QUIET });
  call('f', () => 1);
  await otel.flush(20_000);
  t.equal(backend.spans().length, 1);
  t.same(lines, [], 'and a span writes no line');
});

test('rules 16, 90, 129: two in one process keep their own numbers and spans', async (t) => {
  const [one, two] = await Promise.all([collectorOf(t), collectorOf(t)]);
  const first = startOtel(t, { ...ON, endpoint: one.url, service_name: 'one' });
  const second = startOtel(t, { ...ON, endpoint: two.url, service_name: 'two' });
  first.collector.counter({ name: 'calls', help: 'h', unit: '1', labels: [] }).bind({}).add(1);
  first.call('f', () => 1);
  await first.otel.flush(20_000);
  await second.otel.flush(20_000);
  t.equal(one.span({ name: 'f' }).resource['service.name'], 'one');
  t.same(two.spans(), []);
  t.notOk(two.metricNames().includes('wippy_calls'));
});

test('tracing off: the context that came in passes through unchanged', async (t) => {
  const { otel, call } = startOtel(t, {});
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: true };
  const headers: Record<string, string> = {};
  call(
    'f',
    (context) => otel.propagator.inject(context, (name, value) => Object.assign(headers, { [name]: value })),
    rootContext.with(TRACE, trace),
  );
  t.same(headers, { traceparent: `00-${trace.traceId}-${trace.spanId}-01` });
});

test('rule 111: ten starts and stops leave no socket and no timer', async (t) => {
  const backend = await collectorOf(t);
  const kinds = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind.startsWith('TCPSocketWrap')).length;
  const cycle = async () => {
    const { otel, call } = startOtel(t, { ...ON, endpoint: backend.url });
    otel.registerGlobals();
    call('f', () => 1);
    await otel.shutdown(20_000);
  };
  await cycle();
  const before = kinds();
  for (let i = 0; i < 10; i++) await cycle();
  await backend.until(() => kinds() <= before);
  t.equal(backend.spans().length, 11);
});

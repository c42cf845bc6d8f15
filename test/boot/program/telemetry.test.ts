import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import tap, { test } from 'tap';
import { onlySpan } from '../../harness/otlp-collector.ts';
import type { CollectedSpan } from '../../harness/otlp-decode.ts';
import { poll } from '../../harness/poll.ts';
import { type Exposition, select, total } from '../../harness/prometheus-text.ts';
import { spanTrees } from '../../harness/span-tree.ts';
import { pushedSeries, textSeries } from './both-sinks.ts';
import { DOCUMENTED, NOT_FROM_OUTSIDE } from './documented-metrics.ts';
import { IN_FLIGHT, isIdle, startCollector, startLab, sum, tracesTo } from './lab.ts';

/** Planted wherever a user may put a secret. None may be seen in any signal. */
const SECRETS = {
  body: 'planted-in-the-body',
  key: 'planted-as-a-key',
  value: 'planted-as-a-value',
  token: 'planted-as-a-token',
  header: 'planted-in-a-header',
  query: 'planted-in-the-query',
  cookie: 'planted-in-a-cookie',
};
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const CALLER = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01`, tracestate: 'vendor=1', baggage: 'user=7' };

const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers,
  body: JSON.stringify(body),
});
const order = { key: SECRETS.key, value: SECRETS.value, token: SECRETS.token, note: SECRETS.body };

// ---- one run of the real program, looked at from all sides ----------------------------------------------------------

const collector = await startCollector(tap);
const lab = await startLab(tap, {
  set: {
    ...tracesTo(collector),
    'otel.metrics_enabled': true,
    // Only the last window is pushed: that of the shutdown.
    'otel.metric_export_interval': '10m',
    'otel.metric_export_timeout': '10s',
    'otel.service_name': 'lab',
    'metrics.max_series': 64,
    'events.max_backlog': 0,
    'events.max_subscribers': 2,
  },
  env: { OTEL_RESOURCE_ATTRIBUTES: 'team=a', OTEL_SERVICE_VERSION: '9.8.7' },
});

/** What other services get from this program. */
const received: IncomingMessage[] = [];
const other = createServer((request, response) => {
  received.push(request);
  response.end();
}).listen(0, '127.0.0.1');
await new Promise((resolve) => other.once('listening', resolve));
tap.teardown(() => other.close());
const otherHost = `127.0.0.1:${(other.address() as AddressInfo).port}`;

const spansAre = (count: number, query: Parameters<typeof collector.spans>[0]): Promise<readonly CollectedSpan[]> =>
  poll(`${count} spans ${JSON.stringify(query)}`, () => {
    const found = collector.spans(query);
    return found.length >= count && found;
  });

test('rules 46, 118: probes, scrapes and idle time give no line, no span and no HTTP series', async (t) => {
  const before = lab.lines().length;
  for (let i = 0; i < 20; i++) {
    await lab.scrape();
    for (const path of ['/healthz', '/readyz', '/metrics', '/nothing'])
      await (await fetch(lab.operations + path)).text();
  }
  t.equal(lab.lines().length, before);
  t.same(collector.spans(), []);
  t.same(select(await lab.scrape(), 'wippy_http_requests_total'), []);
  // And the service of the app does: the same looks, beside one request of its own.
  await lab.send('/hello');
  t.equal(total(await lab.scrape(), 'wippy_http_requests_total'), 1);
  await spansAre(2, {});
  t.equal(lab.lines().length, before + 1);
});

test('rules 67, 77: one trace from HTTP to the consumer and on, with names, kinds, parents and attributes', async (t) => {
  const headers = { ...CALLER, authorization: SECRETS.header, cookie: `c=${SECRETS.cookie}`, 'x-any': SECRETS.header };
  const answer = await lab.send(`/chain/7?q=${SECRETS.query}`, post(order, headers));
  t.equal(answer.status, 202);
  const spans = await spansAre(10, { traceId: TRACE_ID });
  const tree = spanTrees(spans.map((span) => ({ ...span, parentId: span.parentSpanId || undefined }))).get(TRACE_ID);
  t.equal(
    tree,
    `(remote)
  server POST lab:chain.endpoint
    internal lab:chain
      client GET
        server GET lab:hello.endpoint
          internal lab:hello
      producer lab:jobs.publish
        consumer lab:work
          client GET
            server GET lab:hello.endpoint
              internal lab:hello`,
  );
  const server = onlySpan(spans, { name: 'POST lab:chain.endpoint' });
  t.equal(server.parentSpanId, PARENT_ID);
  t.equal(server.traceState, CALLER.tracestate);
  t.equal(answer.headers.get('traceparent'), `00-${TRACE_ID}-${server.spanId}-01`, 'the response names its span');
  const port = Number(new URL(lab.url('LAB_PORT')).port);
  t.same(server.attributes, {
    'http.request.method': 'POST',
    'http.route': '/chain/{id}',
    'url.scheme': 'http',
    'url.path': '/chain/7',
    'server.address': '127.0.0.1',
    'server.port': port,
    'user_agent.original': 'node',
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'http.response.status_code': 202,
  });
  t.same(onlySpan(spans, { name: 'lab:chain' }).attributes, {
    'faas.name': 'lab:chain',
    'code.function.name': 'main',
    'code.file.path': 'chain.lua',
  });
  const producer = onlySpan(spans, { kind: 'producer' });
  const messaging = {
    'messaging.system': 'perilune',
    'messaging.destination.name': 'lab:jobs',
    'messaging.message.id': producer.attributes['messaging.message.id'],
  };
  t.match(String(messaging['messaging.message.id']), /^[0-9a-f-]{36}$/);
  t.same(producer.attributes, {
    ...messaging,
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
  });
  t.same(onlySpan(spans, { kind: 'consumer' }).attributes, {
    ...messaging,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'faas.name': 'lab:work',
    'code.function.name': 'work',
    'code.file.path': 'jobs.lua',
  });
  const clients = spans.filter((span) => span.kind === 'client');
  for (const { attributes } of clients) {
    t.match(attributes, {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': port,
      'http.response.status_code': 200,
    });
  }
  const url = lab.url('LAB_PORT', '/hello');
  t.same(clients.map(({ attributes }) => attributes['url.full']).sort(), [url, `${url}?token=REDACTED`]);
});

test('rules 42, 50, 77: what fails is an Error where the rules say so, with one exception', async (t) => {
  t.equal((await lab.send('/fail')).status, 500);
  const [server] = await spansAre(1, { name: 'GET lab:fail.endpoint' });
  const [called] = await spansAre(1, { name: 'lab:fail' });
  t.match(server, { status: 'error', attributes: { 'error.type': 'Internal', 'http.response.status_code': 500 } });
  t.match(called, { status: 'error', attributes: { 'error.type': 'Internal' }, parentSpanId: server?.spanId });
  t.same(server?.events, []);
  t.equal(called?.events.length, 1);
  t.match(called?.events[0], {
    name: 'exception',
    attributes: {
      'exception.type': 'Internal',
      'exception.message': /broken on purpose/,
      'exception.stacktrace': /routes\.lua:15/,
      'code.file.path': 'routes.lua',
      'code.line.number': 15,
    },
  });

  t.equal((await lab.send('/nothing')).status, 404);
  const refused = await lab.send('/hello', { method: 'DELETE' });
  t.equal(refused.status, 405);
  t.match(refused.headers.get('allow'), /GET/);
  t.equal((await lab.send('/hello', { method: 'PROPFIND' })).status, 405);
  t.equal((await lab.send('/hello', { method: 'HEAD' })).status, 200);
  for (const [name, status, method] of [
    ['GET', 404, 'GET'],
    ['DELETE', 405, 'DELETE'],
    ['HTTP', 405, '_OTHER'],
    ['HEAD lab:hello.endpoint', 200, 'HEAD'],
  ] as const) {
    const [span] = await spansAre(1, { name, kind: 'server' });
    t.match(span, {
      status: 'unset',
      attributes: { 'http.response.status_code': status, 'http.request.method': method },
    });
    t.equal('http.route' in (span?.attributes ?? {}), name.includes(' '), `${name} has a route when one matched`);
  }
  const metrics = await lab.scrape();
  for (const [method, status] of [
    ['GET', '404'],
    ['DELETE', '405'],
    ['_OTHER', '405'],
  ] as const) {
    t.equal(total(metrics, 'wippy_http_requests_total', { method, status, route: 'unmatched' }), 1);
  }

  await lab.send(`/out/nothing?host=${otherHost}`);
  await lab.send('/out/fail');
  const [client] = await spansAre(1, { kind: 'client', status: 'error' });
  t.match(client?.attributes, { 'error.type': '500', 'http.response.status_code': 500 });
});

test('rules 22, 48, 62: context out and in: one traceparent, tracestate and baggage; a malformed one starts anew', async (t) => {
  received.length = 0;
  await lab.send(`/out/any?host=${otherHost}`, { headers: CALLER });
  const [request] = received;
  t.equal(request?.headersDistinct.traceparent?.length, 1);
  t.match(request?.headers, { traceparent: new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`), tracestate: 'vendor=1' });
  t.equal(request?.headers.baggage, 'user=7');
  const parent = String(request?.headers.traceparent).split('-')[2];
  const client = await poll('the client span', () =>
    collector.spans({ kind: 'client' }).find((s) => s.spanId === parent),
  );
  t.equal(client.traceId, TRACE_ID, 'and what was injected is the client span');

  for (const traceparent of [
    '00-zz-1-01',
    `00-${'0'.repeat(32)}-${PARENT_ID}-01`,
    `00-${TRACE_ID}`,
    'x'.repeat(4000),
  ]) {
    const answer = await lab.send('/slow?for=1ms', { headers: { traceparent } });
    t.equal(answer.status, 200);
    const [, traceId] = String(answer.headers.get('traceparent')).split('-');
    t.not(traceId, TRACE_ID);
    const [root] = await spansAre(1, { traceId, kind: 'server' });
    t.equal(root?.parentSpanId, '');
  }
  for (let i = 0; i < 30; i++) await lab.send(`/random/${i}`);
  t.equal(select(await lab.scrape(), 'wippy_http_requests_total', { route: 'unmatched', status: '404' }).length, 1);
});

/** Starts a request, sees it in flight, and leaves. */
const leave = async (path: string, gauge: string, labels: Readonly<Record<string, string>>): Promise<void> => {
  const left = new AbortController();
  const request = fetch(lab.url('LAB_PORT', path), { signal: left.signal });
  request.catch(() => {});
  await lab.until(`${path} is in ${gauge}`, (metrics) => sum(metrics, gauge, labels) === 1);
  left.abort();
};

test('rules 1, 4: in-flight is 0 after success, every kind of failure, and a client that left', async (t) => {
  t.equal((await lab.send('/misuse')).status, 500, 'a host function that raises');
  t.match((await lab.send('/spin')).text, /limit exceeded: instructions/);
  await leave('/slow?for=60s', 'wippy_http_requests_in_flight', { route: 'lab:slow.endpoint' });
  await leave('/stream', 'wippy_http_streams_active', { kind: 'sse' });
  // Two calls of a function that lets one run: the other waits.
  const both = [lab.send('/narrow?for=300ms'), lab.send('/narrow?for=300ms')];
  await lab.until('one waits', (metrics) => sum(metrics, 'wippy_function_waiting') === 1);
  await Promise.all(both);
  await lab.send('/jobs', post({ sleep: '200ms' }));
  await lab.until('a delivery is in flight', (metrics) => sum(metrics, 'wippy_queue_in_flight') === 1);
  for (const outcome of ['dead', 'again']) await lab.send('/jobs', post({ outcome }));
  t.match(JSON.parse((await lab.send('/numbers')).text), { refused: true, kind: 'Invalid' });

  const metrics = await lab.until(
    'everything has ended',
    (now) => isIdle(now) && sum(now, 'wippy_queue_redelivered_total') === 2,
  );
  for (const name of IN_FLIGHT) t.ok(select(metrics, name).length > 0, `${name} was driven`);
  t.equal(total(metrics, 'wippy_http_requests_total', { route: 'lab:slow.endpoint', status: '499' }), 1);
  t.equal(total(metrics, 'wippy_http_requests_total', { route: 'lab:stream.endpoint', status: '200' }), 1);
  t.equal(total(metrics, 'wippy_function_killed_total', { reason: 'instructions' }), 1);
  t.same(
    ['ack', 'nack', 'dead'].map((result) =>
      total(metrics, 'wippy_queue_messages_total', { queue: 'lab:jobs', result }),
    ),
    [3, 2, 1],
  );
  const [gone] = await spansAre(1, { name: 'GET lab:slow.endpoint', attributes: { 'error.type': 'client_closed' } });
  t.notOk('http.response.status_code' in (gone?.attributes ?? {}));
});

test('rule 66: what became of events, by reason; no subscription is left', async (t) => {
  const answer = await lab.send('/events', post(order));
  t.match(JSON.parse(answer.text), { refused: 'Unavailable', received: 'first' });
  const metrics = await lab.until('the call has ended', isIdle);
  const events = (result: string, reason: string) => total(metrics, 'eventbus_events_total', { result, reason });
  t.equal(events('delivered', 'none'), 1);
  t.equal(events('dropped', 'slow'), 5);
  t.equal(events('dropped', 'closed'), 64);
  t.equal(total(metrics, 'eventbus_subscribers_rejected_total', { reason: 'cap' }), 1);
  t.equal(total(metrics, 'eventbus_subscribers_active'), 0);
  t.match(
    lab.lines().filter(({ subsystem }) => subsystem === 'events'),
    [
      { level: 'warn', msg: /max_subscribers/ },
      { level: 'warn', msg: /max_backlog/, function_id: 'lab:events', system: 'lab.*', trace_id: /^[0-9a-f]{32}$/ },
    ],
  );
});

let scraped: Exposition = { families: new Map(), samples: [], hasEof: false };
let scrapedText = '';

test('rules 1, 3, 5, 36, 105: both sinks of one run hold the same series with the same numbers', async (t) => {
  const { ended } = await poll('every span has arrived', () => {
    const now = collector.spans().length;
    return new Promise<{ ended: number } | false>((resolve) => {
      setTimeout(() => resolve(collector.spans().length === now && { ended: now }), 300);
    });
  });
  scraped = await lab.until(
    'every span is counted',
    (now) => sum(now, 'wippy_spans_total', { result: 'exported' }) === ended,
  );
  scrapedText = await (await fetch(`${lab.operations}/metrics`)).text();
  const { code } = await lab.stop();
  t.equal(code, 0);
  t.equal(collector.requests.filter(({ path }) => path.endsWith('/v1/metrics')).length, 1, 'one window was pushed');
  const text = textSeries(scraped);
  t.ok(text.size > 300, `${text.size} series`);
  // The window that is pushed is of the end, when the database is closed: its one connection is gone.
  const idle = 'wippy_sql_pool_connections{db="lab:db",state="idle"}';
  t.equal(text.get(idle), 1);
  text.set(idle, 0);
  t.same(Object.fromEntries([...pushedSeries(collector)].sort()), Object.fromEntries([...text].sort()));
  t.same(
    [...text].filter(([key, value]) => /_in_flight|_active\{|_waiting|_depth/.test(key) && value !== 0),
    [],
    'and in both every in-flight gauge is 0',
  );
});

test('rule 14: every documented metric of the surfaces built so far appears after the run', async (t) => {
  for (const [name, type] of Object.entries(DOCUMENTED)) {
    if (NOT_FROM_OUTSIDE.has(name)) continue;
    t.equal(scraped.families.get(name)?.type, type, name);
    const isThere = scraped.samples.some((one) => one.name === name || one.name === `${name}_count`);
    t.ok(isThere, `${name} has a series`);
    t.ok(collector.metricNames().includes(name), `${name} is pushed`);
  }
  const ours = [...scraped.families.keys()].filter((name) => /^(wippy|eventbus)_/.test(name));
  t.same(
    ours.filter((name) => !(name in DOCUMENTED)),
    [],
    'and nothing that is not documented',
  );
});

test('rule 85: spans and metrics carry one resource, and target_info shows it', async (t) => {
  const resources = new Set(
    [...collector.spans(), ...collector.points('wippy_build_info')].map(({ resource }) =>
      JSON.stringify(Object.entries(resource).sort()),
    ),
  );
  t.equal(resources.size, 1);
  const { resource } = collector.point('wippy_build_info');
  t.match(resource, {
    'service.name': 'lab',
    'service.version': '9.8.7',
    team: 'a',
    'process.pid': lab.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'os.type': process.platform,
    'telemetry.sdk.language': 'nodejs',
  });
  const shown = Object.entries(resource).map(([key, value]) => [key.replaceAll('.', '_'), String(value)]);
  t.same(select(scraped, 'target_info')[0]?.labels, Object.fromEntries(shown));
  for (const key of ['host.name', 'service.instance.id', 'telemetry.sdk.name', 'telemetry.sdk.version']) {
    t.match(resource[key], /./, key);
  }
});

test('rules 118, 121: one line per request and message, with the ids of its span', async (t) => {
  const lines = lab.lines();
  const requests = lines.filter((line) => line.subsystem === 'http' && line.msg === 'request');
  const messages = lines.filter((line) => line.subsystem === 'queue');
  t.equal(requests.length, total(scraped, 'wippy_http_requests_total'));
  t.equal(messages.length, total(scraped, 'wippy_queue_messages_total'));
  const spans = new Map(collector.spans().map((span) => [span.spanId, span]));
  for (const line of requests) {
    const span = spans.get(String(line.span_id));
    const name =
      line.route === 'unmatched' ? (line.method === '_OTHER' ? 'HTTP' : line.method) : `${line.method} ${line.route}`;
    t.match(span, { traceId: line.trace_id, kind: 'server', name }, `the line of ${name}`);
    const level = Number(line.status) >= 500 ? 'error' : 'info';
    t.equal(line.level, level);
  }
  for (const line of messages) {
    t.ok(collector.spans({ kind: 'consumer', traceId: String(line.trace_id) }).length > 0);
    t.equal(line.level, { ack: 'info', nack: 'warn', dead: 'error' }[String(line.result)]);
  }
  const own = lines.filter((line) => line.subsystem === 'lua');
  t.match(own, [{ msg: 'order taken', trace_id: TRACE_ID, id: '7' }], 'a line of the app has the ids of its call');
  const called = collector.span({ name: 'lab:chain', traceId: TRACE_ID });
  t.equal(own[0]?.span_id, called.spanId);
  // Nothing else was said: what listens, two warnings of /numbers, two of /events, and the stop.
  const rest = lines.filter((line) => !requests.includes(line) && !messages.includes(line) && !own.includes(line));
  t.same(
    rest.map((line) => `${line.subsystem} ${line.level}`),
    ['telemetry info', 'http info', 'telemetry warn', 'telemetry warn', 'events warn', 'events warn', 'boot info'],
  );
});

test('rule 84: no secret is in any trace, metric, line or scrape', async (t) => {
  const points = collector.metricNames().flatMap((name) => collector.points(name));
  const signals = {
    traces: JSON.stringify(collector.spans()),
    metrics: JSON.stringify(points),
    logs: lab.output(),
    scrape: scrapedText,
  };
  for (const [where, text] of Object.entries(signals)) {
    t.match(text, /lab:chain/, `${where} were searched`);
    for (const [what, secret] of Object.entries(SECRETS)) t.notOk(text.includes(secret), `${what} in ${where}`);
  }
});

import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import {
  type Context,
  context,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type * as InstrumentationHttp from '@opentelemetry/instrumentation-http';
import { test } from 'tap';
import { apiContextOf, type LuaModule } from '../../../boot/library.ts';
import type { Scope } from '../../harness/teardown.ts';
import { hostTracing, startRuntime } from './start-runtime.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${PARENT_ID}-01`;

/** Another service, which remembers what headers it got. */
const startTarget = async (t: Scope) => {
  const received: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    response.statusCode = request.url === '/missing' ? 404 : 200;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
};

/** What a program keeps for all of OpenTelemetry's globals; absent until somebody sets one. */
const globals = (): Record<string, unknown> => ({
  ...((globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')] as object | undefined),
});

test('spans come from the host’s provider, in the trace of its own span, and globals stay as they are', async (t) => {
  const before = { ...globals(), provider: trace.getTracerProvider(), active: context.active() };
  const { tracerProvider, spans } = hostTracing();
  const target = await startTarget(t);
  const runtime = await startRuntime(t, { tracerProvider });
  const parent = tracerProvider.getTracer('host').startSpan('work', {}, ROOT_CONTEXT);
  await runtime.call('app:fetch', [target.url], { parent: trace.setSpan(ROOT_CONTEXT, parent) });
  await t.rejects(runtime.call('app:fail', [], { headers: { Traceparent: TRACEPARENT } }), { message: /on purpose/ });
  await runtime.call('app:echo');
  parent.end();

  const named = (name: string) => spans().filter((span) => span.name === name);
  const [fetched] = named('app:fetch');
  t.equal(fetched?.parentSpanContext?.spanId, parent.spanContext().spanId);
  t.equal(fetched?.attributes['code.file.path'], 'app.lua');
  t.equal(fetched?.instrumentationScope.name, 'perilune');
  const [client, ...more] = named('GET');
  t.same(more, [], 'one client span');
  t.equal(client?.parentSpanContext?.spanId, fetched?.spanContext().spanId);
  const ids = client?.spanContext();
  t.same(
    target.received.map((headers) => headers.traceparent),
    [`00-${ids?.traceId}-${ids?.spanId}-01`],
  );
  const [failed] = named('app:fail');
  t.equal(failed?.spanContext().traceId, TRACE_ID);
  t.equal(failed?.parentSpanContext?.spanId, PARENT_ID);
  t.equal(failed?.status.code, SpanStatusCode.ERROR);
  const [alone] = named('app:echo');
  t.equal(alone?.parentSpanContext, undefined, 'without a parent it is a root');

  await runtime.stop();
  t.same({ ...globals(), provider: trace.getTracerProvider(), active: context.active() }, before);
  t.same(globals(), {}, 'nothing was ever set');
  t.same(propagation.fields(), []);
  t.equal((trace.getTracerProvider() as ProxyTracerProvider).getDelegateTracer('x'), undefined);
  tracerProvider.getTracer('host').startSpan('later').end();
  t.equal(named('later').length, 1, 'the provider is not shut down: it is the host’s');
});

test('the app’s own exporter stays off beside a host’s provider, and a provider that makes no spans loses no trace', async (t) => {
  const target = await startTarget(t);
  const { tracerProvider, spans } = hostTracing();
  const set = { 'otel.enabled': true, 'otel.endpoint': target.url, 'otel.batch.schedule_delay': '1ms' };
  const traced = await startRuntime(t, { tracerProvider, set });
  await traced.call('app:echo');
  await traced.stop();
  t.equal(spans().length, 1);
  t.same(target.received, [], 'nothing was exported');

  const untraced = await startRuntime(t, { tracerProvider: new ProxyTracerProvider() });
  await untraced.call('app:fetch', [target.url], { headers: { traceparent: TRACEPARENT } });
  await untraced.call('app:fetch', [target.url]);
  t.same(
    target.received.map((headers) => headers.traceparent),
    [TRACEPARENT, undefined],
  );
});

/** A format of the host's own, which carries more than span ids. */
const DEBUG = Symbol('debug');
const inHouse: TextMapPropagator = {
  fields: () => ['X-Trace'],
  inject(from, carrier, setter) {
    const ids = trace.getSpanContext(from);
    if (ids !== undefined) setter.set(carrier, 'X-Trace', `${ids.traceId}/${ids.spanId}/${from.getValue(DEBUG) ?? ''}`);
  },
  extract(into, carrier, getter) {
    const [traceId = '', spanId = '', debug] = String(getter.get(carrier, 'X-Trace')).split('/');
    if (traceId === 'boom') throw new Error('cannot read that');
    return spanId === ''
      ? into
      : trace.setSpanContext(into, { traceId, spanId, traceFlags: 1, isRemote: true }).setValue(DEBUG, debug);
  },
};

test('the host’s propagator is used both ways, over HTTP and for its own calls', async (t) => {
  const target = await startTarget(t);
  const { tracerProvider, spans } = hostTracing();
  const runtime = await startRuntime(t, { tracerProvider, propagator: inHouse });
  const [web] = runtime.addresses();
  await fetch(`http://${web?.address}/page`, { headers: { 'x-trace': `${TRACE_ID}/${PARENT_ID}/` } });
  const server = spans().find((span) => span.name === 'GET app:page.endpoint');
  t.equal(server?.spanContext().traceId, TRACE_ID);
  t.equal(server?.parentSpanContext?.spanId, PARENT_ID);

  await runtime.call('app:fetch', [target.url], { headers: { 'X-TRACE': `${TRACE_ID}/${PARENT_ID}/7` } });
  const client = spans().find((span) => span.name === 'GET');
  t.equal(
    target.received[0]?.['x-trace'],
    `${TRACE_ID}/${client?.spanContext().spanId}/7`,
    'what it put aside as well',
  );
  t.equal(target.received[0]?.traceparent, undefined);

  await runtime.call('app:fetch', [target.url], { headers: { 'x-trace': 'boom/boom/' } });
  t.equal(spans().at(-1)?.parentSpanContext, undefined, 'what it cannot read begins a new trace');
});

test('baggage goes through the propagators of the API', async (t) => {
  const target = await startTarget(t);
  const { tracerProvider } = hostTracing();
  const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
  const runtime = await startRuntime(t, { tracerProvider, propagator: new CompositePropagator({ propagators }) });
  const headers = { traceparent: TRACEPARENT, tracestate: 'vendor=1', baggage: 'user=a%20b;tier=1,x=2' };
  await runtime.call('app:fetch', [target.url], { headers });
  t.match(target.received[0]?.traceparent, new RegExp(`^00-${TRACE_ID}-`));
  t.equal(target.received[0]?.tracestate, 'vendor=1');
  t.equal(target.received[0]?.baggage, 'user=a%20b;tier=1,x=2');

  const parent = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ from: { value: 'host' } }));
  await runtime.call('app:fetch', [target.url], { parent });
  t.equal(target.received[1]?.baggage, 'from=host');
});

test('a host that has set up instrumentation gets its client span, and no second one', async (t) => {
  const { tracerProvider, spans } = hostTracing();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracerProvider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const require = createRequire(import.meta.url);
  const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http') as typeof InstrumentationHttp;
  const instrumentation = new HttpInstrumentation({ disableIncomingRequestInstrumentation: true });
  require('node:http'); // it patches what is required from now on
  t.teardown(() => {
    instrumentation.disable();
    context.disable();
    trace.disable();
    propagation.disable();
  });
  const before = globals();
  const target = await startTarget(t);
  const runtime = await startRuntime(t, { tracerProvider });
  await runtime.call('app:fetch', [`${target.url}missing`]);

  const clients = spans().filter((span) => span.name === 'GET');
  t.same(
    clients.map((span) => span.instrumentationScope.name),
    ['@opentelemetry/instrumentation-http'],
  );
  const caller = spans().find((span) => span.name === 'app:fetch');
  t.equal(clients[0]?.parentSpanContext?.spanId, caller?.spanContext().spanId);
  const ids = clients[0]?.spanContext();
  t.equal(target.received[0]?.traceparent, `00-${ids?.traceId}-${ids?.spanId}-01`);
  await runtime.stop();
  t.same(globals(), before, 'the host’s globals are still there');

  instrumentation.disable();
  const alone = await startRuntime(t, { tracerProvider });
  await alone.call('app:fetch', [target.url]);
  t.equal(spans().filter((span) => span.name === 'GET').length, 2, 'and without it the site makes one');
});

test('a host function makes spans of its own below those of its caller, and may call back', async (t) => {
  const { tracerProvider, spans } = hostTracing();
  const seen: Context[] = [];
  const store: LuaModule = {
    name: 'store_of_host',
    functions: {
      async read(thread, [key]) {
        const parent = apiContextOf(thread.context);
        seen.push(parent);
        tracerProvider.getTracer('host').startSpan('read', {}, parent).end();
        return [(await runtime.call('app:echo', [key], { parent: thread.context })) as string[]];
      },
    },
  };
  const dir = t.testdir({
    '_index.yaml': `version: "1.0"
namespace: app
entries:
  - { name: main, kind: function.lua, source: file://main.lua, method: main, modules: [store_of_host] }
  - { name: echo, kind: function.lua, source: file://main.lua, method: echo, modules: [store_of_host] }
`,
    'main.lua': `local store = require("store_of_host")
local function main() return store.read("k") end
local function echo(...) return { ... } end
return { main = main, echo = echo }
`,
  });
  const runtime = await startRuntime(t, { dir, tracerProvider, modules: [store] });
  t.same(await runtime.call('app:main'), ['k']);
  const byName = new Map(spans().map((span) => [span.name, span]));
  const main = byName.get('app:main')?.spanContext().spanId;
  t.equal(byName.get('read')?.parentSpanContext?.spanId, main);
  t.equal(byName.get('app:echo')?.parentSpanContext?.spanId, main);
  t.equal(seen.length, 1);
});

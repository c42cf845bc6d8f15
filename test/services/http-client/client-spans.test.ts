import http from 'node:http';
import { context, trace as traceApi } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { otelGlobals } from '../../../services/otel/globals.ts';
import { propagator } from '../../../services/otel/propagator.ts';
import { thirdPartyScope } from '../../../services/otel/third-party.ts';
import { table } from '../http/fake-env.ts';
import { startTarget } from './start-target.ts';

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1, isRemote: false };

test('rules 48, 50: each attempt has one client span in the caller’s trace, and its id goes out once', async (t) => {
  const exporter = new InMemorySpanExporter();
  const globals = otelGlobals({
    propagator: propagator(['tracecontext', 'baggage']),
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    meterProvider: undefined,
    httpClientSpans: true,
    logger: silentLogger,
  });
  globals.register();
  t.teardown(() => globals.unregister());
  const app = await startTarget(
    t,
    {
      '/a': (res) => void res.end('ok'),
      '/moved': (res) => void res.writeHead(302, { Location: '/a' }).end(),
      '/never': () => {},
    },
    { thirdParty: thirdPartyScope },
  );
  const lua = app.lua(rootContext.with(TRACE, trace));
  const get = (path: string, options = {}) => lua.call('http_client', 'get', `${app.base}${path}`, table(options));

  await get('/a', { headers: table({ Traceparent: 'mine', TraceState: 'x=1', 'X-A': '1' }) });
  await get('/moved');
  await get('/nope');
  await get('/never', { timeout: '50ms' });
  await lua.call('http_client', 'get', 'http://127.0.0.1:1/');

  const spans = exporter.getFinishedSpans();
  t.same(
    spans.map(({ name, kind, status, attributes }) => [
      name,
      kind,
      status.code,
      attributes['http.response.status_code'],
      attributes['error.type'],
    ]),
    [
      ['GET', 2, 0, 200, undefined],
      ['GET', 2, 0, 302, undefined],
      ['GET', 2, 0, 200, undefined],
      ['GET', 2, 2, 404, '404'],
      ['GET', 2, 2, undefined, 'Internal'],
      ['GET', 2, 2, undefined, 'ECONNREFUSED'],
    ],
  );
  for (const span of spans) {
    t.equal(span.spanContext().traceId, trace.traceId);
    t.equal(span.parentSpanContext?.spanId, trace.spanId);
  }
  for (const [i, { raw, headers }] of app.requests.entries()) {
    t.equal(raw.filter((name) => name.toLowerCase() === 'traceparent').length, 1);
    t.equal(headers.traceparent, `00-${trace.traceId}-${spans[i]?.spanContext().spanId}-01`);
    t.equal(headers.tracestate, undefined);
  }
  t.equal(app.requests[0]?.headers['x-a'], '1');
  t.equal(app.sockets.size, 1, 'rule 49: traced requests share a connection');
});

test('rules 48, 50: without instrumentation the site makes the span and the header itself', async (t) => {
  const app = await startTarget(
    t,
    {
      '/a': (res) => void res.end('ok'),
      '/moved': (res) => void res.writeHead(302, { Location: '/a' }).end(),
    },
    { thirdParty: thirdPartyScope },
  );
  const lua = app.lua(rootContext.with(TRACE, trace));
  const get = (path: string, options = {}) => lua.call('http_client', 'get', `${app.base}${path}`, table(options));

  await get('/a?token=secret&n=1#part', { headers: table({ Traceparent: 'mine', TraceState: 'x=1' }) });
  await get('/moved');
  await get('/nope');
  await lua.call('http_client', 'request', 'propfind', `${app.base.replace('//', '//me:hidden@')}/a`);
  await lua.call('http_client', 'get', 'http://127.0.0.1:1/');

  const spans = app.spans();
  const server = { 'server.address': '127.0.0.1', 'server.port': Number(app.host.split(':')[1]) };
  const request = { 'http.request.method': 'GET', 'network.protocol.version': '1.1', ...server };
  t.same(
    spans.map(({ name, kind, status, attributes }) => [name, kind, status.code, attributes]),
    [
      [
        'GET',
        2,
        0,
        { ...request, 'url.full': `${app.base}/a?token=REDACTED&n=REDACTED#part`, 'http.response.status_code': 200 },
      ],
      ['GET', 2, 0, { ...request, 'url.full': `${app.base}/moved`, 'http.response.status_code': 302 }],
      ['GET', 2, 0, { ...request, 'url.full': `${app.base}/a`, 'http.response.status_code': 200 }],
      [
        'GET',
        2,
        2,
        { ...request, 'url.full': `${app.base}/nope`, 'http.response.status_code': 404, 'error.type': '404' },
      ],
      [
        'HTTP',
        2,
        0,
        {
          ...request,
          'http.request.method': '_OTHER',
          'http.request.method_original': 'PROPFIND',
          'url.full': `${app.base}/a`,
          'http.response.status_code': 200,
        },
      ],
      [
        'GET',
        2,
        2,
        {
          'http.request.method': 'GET',
          'server.address': '127.0.0.1',
          'server.port': 1,
          'url.full': 'http://127.0.0.1:1/',
          'error.type': 'Internal',
        },
      ],
    ],
  );
  for (const span of spans) t.equal(span.parentSpanContext?.spanId, trace.spanId);
  for (const [i, { raw, headers }] of app.requests.entries()) {
    t.equal(raw.filter((name) => name.toLowerCase() === 'traceparent').length, 1);
    t.equal(headers.traceparent, `00-${trace.traceId}-${spans[i]?.spanContext().spanId}-01`);
    t.equal(headers.tracestate, undefined);
  }
});

test('instrumentation that comes and goes never makes a second span, nor leaves a request without one', async (t) => {
  const exporter = new InMemorySpanExporter();
  const globals = otelGlobals({
    propagator: propagator(['tracecontext']),
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    meterProvider: undefined,
    httpClientSpans: true,
    logger: silentLogger,
  });
  t.teardown(() => globals.unregister());
  const app = await startTarget(t, { '/a': (res) => void res.end('ok') }, { thirdParty: thirdPartyScope });
  const get = () => app.ask('get', `${app.base}/a`);
  const made = () => [app.spans().length, exporter.getFinishedSpans().length];

  await get();
  t.same(made(), [1, 0], 'the site makes it');
  globals.register();
  t.same([thirdPartyScope.tracesRequests('http:'), thirdPartyScope.tracesRequests('https:')], [true, true]);
  await get();
  t.same(made(), [1, 1], 'the instrumentation makes it');
  globals.unregister();
  await get();
  t.same(made(), [2, 1], 'the site again');
  t.same(app.rows('wippy_http_client_requests_total'), [`host=${app.host},method=GET,status=200 3`], 'all are counted');
});

test('instrumentation without the globals it reads does not count as any', async (t) => {
  const original = http.request;
  const wrapped = Object.assign(((...args: Parameters<typeof original>) => original(...args)) as typeof original, {
    __wrapped: true,
  });
  http.request = wrapped;
  t.teardown(() => {
    http.request = original;
  });
  t.equal(thirdPartyScope.tracesRequests('http:'), false);
  const app = await startTarget(t, { '/a': (res) => void res.end('ok') }, { thirdParty: thirdPartyScope });
  await app.ask('get', `${app.base}/a`);
  t.equal(app.spans().length, 1);

  t.teardown(() => {
    context.disable();
    traceApi.disable();
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  t.equal(thirdPartyScope.tracesRequests('http:'), false, 'a parent, but nobody to make spans');
  traceApi.setGlobalTracerProvider(new BasicTracerProvider());
  t.equal(thirdPartyScope.tracesRequests('http:'), true);
  t.equal(thirdPartyScope.tracesRequests('https:'), false, 'only http was replaced');
  context.disable();
  t.equal(thirdPartyScope.tracesRequests('http:'), false, 'spans, but no parent to be found');
});

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

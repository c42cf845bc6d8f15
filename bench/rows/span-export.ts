import { setImmediate } from 'node:timers/promises';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { systemClock } from '../../runtime/clock.ts';
import { rootContext } from '../../runtime/context.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { openTelemetry } from '../../services/otel/open-telemetry.ts';
import { resolveOtelSettings } from '../../services/otel/settings.ts';
import { byTurns, median, processorTime, type Reading } from '../measure.ts';
import { type FakeHttp, fakeHttp } from '../peers/fake-http.ts';
import type { Row } from '../row.ts';

const BATCH = 512;
/** Known for the site, known when the span starts, known when it ends: 8 attributes as an HTTP server's span has them. */
const OF_SITE = { 'http.request.method': 'GET', 'http.route': '/orders/{id}', 'url.scheme': 'http' };
const atStart = (i: number) => ({
  'url.path': `/orders/${i}`,
  'server.port': 8080,
  'user_agent.original': 'perilune-bench/1.0 (loopback)',
  'client.address': '127.0.0.1',
});
const AT_END = { 'http.response.status_code': 200 };

interface Ending {
  end(): void;
}

/** Microseconds of processor time per span from `end()` of the first of a batch to the bytes of the whole, in the transport's hands. */
const perSpan =
  (http: FakeHttp, start: (i: number) => Ending): Reading =>
  async () => {
    const taken: number[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      const spans = Array.from({ length: BATCH }, (_, i) => start(i));
      const bytes = http.nextBody();
      const begin = processorTime();
      for (const span of spans) span.end();
      const size = await bytes;
      taken.push(((processorTime() - begin) * 1000) / BATCH);
      if (size < 100 * BATCH) throw new Error(`${size} bytes are not ${BATCH} spans`);
      for (let turn = 0; turn < 5; turn += 1) await setImmediate(); // until the export has ended
    }
    return median(taken);
  };

const ourSpans = (): ((i: number) => Ending) => {
  const clock = systemClock();
  const { settings } = resolveOtelSettings({ enabled: true, endpoint: 'http://127.0.0.1:4318' }, {});
  const { tracer } = openTelemetry({
    settings,
    collector: createCollector({ namespace: 'bench', clock }),
    clock,
    logger: silentLogger,
    build: { version: '0.0.0' },
  });
  const site = tracer.site({ name: 'GET /orders/{id}', kind: 'server', attributes: OF_SITE });
  return (i) => {
    const { span } = site.start(rootContext, { attributes: atStart(i) });
    if (span === undefined) throw new Error('the span is not recorded');
    span.setAttributes(AT_END);
    return span;
  };
};

const stockSpans = (): ((i: number) => Ending) => {
  const exporter = new OTLPTraceExporter({ url: 'http://127.0.0.1:4318/v1/traces' });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'bench' }),
    spanProcessors: [new BatchSpanProcessor(exporter, { maxExportBatchSize: BATCH })],
  });
  const tracer = provider.getTracer('bench');
  return (i) => {
    const span = tracer.startSpan('GET /orders/{id}', { kind: 1, attributes: { ...OF_SITE, ...atStart(i) } });
    span.setAttributes(AT_END);
    return span;
  };
};

/** The whole way out: `span.end()`, the SDK's batch processor, the encoder, the exporter's transport. */
export const spanExport: Row = {
  name: 'span.export',
  unit: 'us',
  better: 'lower',
  atLeast: { 'otlp-transformer': 4 },
  measure() {
    const http = fakeHttp();
    return byTurns(
      { ours: perSpan(http, ourSpans()), 'otlp-transformer': perSpan(http, stockSpans()) },
      { rounds: 7, warmUps: 3 },
    );
  },
};

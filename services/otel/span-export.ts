import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { ExportMonitor } from './export-monitor.ts';
import { spansTotal } from './instruments.ts';

/** What became of the spans of one queue: exact, where the SDK only warns. */
export interface SpanLedger {
  exporter(inner: SpanExporter): SpanExporter;
  processor(inner: SpanProcessor): SpanProcessor;
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/**
 * Counts exported, failed and dropped spans. The batch processor drops what ends while `maxQueueSize` spans wait; it takes
 * them out of its queue right before it calls the exporter (sdk-trace 2.12, BatchSpanProcessorBase), so the queue's length is known here.
 */
export const spanLedger = (collector: Collector, monitor: ExportMonitor, maxQueueSize: number): SpanLedger => {
  const spans = collector.counter(spansTotal);
  const exported = lazily(() => spans.bind({ result: 'exported' }));
  const failed = lazily(() => spans.bind({ result: 'failed' }));
  const dropped = lazily(() => spans.bind({ result: 'dropped' }));
  let waiting = 0;
  let isClosed = false;

  return {
    exporter: (inner) => ({
      export(batch: ReadableSpan[], done) {
        waiting -= batch.length;
        const fail = (error: Error): void => {
          failed().add(batch.length);
          monitor.failed(error);
          done({ code: ExportResultCode.FAILED, error });
        };
        try {
          inner.export(batch, (result) => {
            if (result.code !== ExportResultCode.SUCCESS) return fail(result.error ?? new Error('no reason given'));
            exported().add(batch.length);
            monitor.succeeded();
            done(result);
          });
        } catch (error) {
          fail(asError(error));
        }
      },
      shutdown: () => inner.shutdown(),
      forceFlush: () => inner.forceFlush?.() ?? Promise.resolve(),
    }),
    processor: (inner) => ({
      onStart: (span, context) => inner.onStart(span, context),
      onEnd(span) {
        if (isClosed || waiting >= maxQueueSize) dropped().add(1);
        else waiting++;
        inner.onEnd(span);
      },
      forceFlush: () => inner.forceFlush(),
      shutdown() {
        isClosed = true;
        return inner.shutdown();
      },
    }),
  };
};

/** Bound on first use: a series exists from then on. */
const lazily = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

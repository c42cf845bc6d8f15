import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ExportMonitor } from './export-monitor.ts';
import type { SpanCounts } from './span-counts.ts';

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
export const spanLedger = (counts: SpanCounts, monitor: ExportMonitor, maxQueueSize: number): SpanLedger => {
  let waiting = 0;
  let isClosed = false;

  return {
    exporter: (inner) => ({
      export(batch: ReadableSpan[], done) {
        waiting -= batch.length;
        const fail = (error: Error): void => {
          counts.failed(batch.length);
          monitor.failed(error);
          done({ code: ExportResultCode.FAILED, error });
        };
        try {
          inner.export(batch, (result) => {
            if (result.code !== ExportResultCode.SUCCESS) return fail(result.error ?? new Error('no reason given'));
            counts.exported(batch.length);
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
        if (isClosed || waiting >= maxQueueSize) counts.dropped(1);
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

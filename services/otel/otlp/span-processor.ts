import { context as contextApi, TraceFlags } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import type { BatchSettings } from '../settings-types.ts';
import type { SpanCounts } from '../span-counts.ts';
import { type EncodedSpans, spanBatch } from './span-batch.ts';

export interface SpanProcessorOptions {
  readonly batch: BatchSettings;
  readonly clock: Clock;
  readonly counts: SpanCounts;
  /** Sends a request and counts what became of its spans; resolves with the failure, if any. Never rejects. */
  readonly send: (batch: EncodedSpans) => Promise<Error | undefined>;
  /** Told about a span that could not be written. */
  readonly broken: (error: unknown) => void;
}

/**
 * The SDK's batch processor (specification, "Batching processor"), but a span is written when it ends and nothing of it is
 * kept but bytes. One scheduled export runs at a time; `forceFlush` and `shutdown` send everything at once.
 */
export const encodingSpanProcessor = (options: SpanProcessorOptions): SpanProcessor => {
  const { batch: settings, clock, counts, send, broken } = options;
  const perRequest = Math.min(settings.maxExportBatchSize, settings.maxQueueSize);
  const batch = spanBatch();
  const sealed: EncodedSpans[] = [];
  const underWay = new Set<Promise<Error | undefined>>();
  let waiting = 0;
  let isExporting = false;
  let cancelTimer: Cancel | undefined;
  let ending: Promise<void> | undefined;

  /** Takes the oldest spans that wait; undefined when there are none. */
  const sendNext = (): Promise<Error | undefined> | undefined => {
    const next = sealed.shift() ?? (batch.spans > 0 ? batch.seal() : undefined);
    if (next === undefined) return undefined;
    waiting -= next.spans;
    // The exporter's own requests are not to be traced.
    const sending = contextApi.with(suppressTracing(contextApi.active()), () => send(next));
    underWay.add(sending);
    void sending.then(() => underWay.delete(sending));
    return sending;
  };

  const exportScheduled = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    const sending = sendNext();
    if (sending === undefined) return;
    isExporting = true;
    let isOver = false;
    const next = (): void => {
      if (isOver) return;
      isOver = true;
      cancelTimeout();
      isExporting = false;
      schedule();
    };
    // What takes longer is still counted when it ends; it only no longer holds up the next.
    const cancelTimeout = clock.after(settings.exportTimeoutMs, next, { unref: true });
    void sending.then(next);
  };

  const schedule = (): void => {
    if (isExporting || waiting === 0) return;
    if (sealed.length > 0) return exportScheduled();
    cancelTimer ??= clock.after(settings.scheduleDelayMs, exportScheduled, { unref: true });
  };

  const flush = async (): Promise<void> => {
    cancelTimer?.();
    cancelTimer = undefined;
    while (sendNext() !== undefined);
    const failures = await Promise.all(underWay);
    const first = failures.find((failure) => failure !== undefined);
    if (first !== undefined) throw first;
  };

  return {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
      if (ending !== undefined || waiting >= settings.maxQueueSize) return counts.dropped(1);
      try {
        batch.add(span);
      } catch (error) {
        counts.failed(1);
        return broken(error);
      }
      waiting += 1;
      if (batch.spans >= perRequest) sealed.push(batch.seal());
      schedule();
    },
    forceFlush: () => ending ?? flush(),
    shutdown() {
      ending ??= flush();
      return ending;
    },
  };
};

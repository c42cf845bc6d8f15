import { ExportResultCode } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InstrumentType,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ExportMonitor } from './export-monitor.ts';
import type { PartialSuccess } from './otlp/export-response.ts';
import type { Delivery } from './otlp-exporters.ts';
import type { Temporality } from './settings-types.ts';

const SYNCHRONOUS = new Set([InstrumentType.COUNTER, InstrumentType.HISTOGRAM]);
const ADDITIVE = new Set([InstrumentType.UP_DOWN_COUNTER, InstrumentType.OBSERVABLE_UP_DOWN_COUNTER]);

/** What third parties' instruments are to be collected as (specification, "OTLP Exporter", temporality preference). */
const isDelta = (temporality: Temporality, instrument: InstrumentType): boolean => {
  if (temporality === 'lowmemory') return SYNCHRONOUS.has(instrument);
  return temporality === 'delta' && !ADDITIVE.has(instrument);
};

/**
 * A gauge that is read: cumulative, the SDK goes on telling what was read last when its callback throws, or no longer tells
 * of a label set (rule 101). A gauge has no temporality on the wire.
 */
export const forgetsOld = (instrument: InstrumentType): boolean => instrument === InstrumentType.OBSERVABLE_GAUGE;

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Reports every export to the monitor, and lets `filter` take out what must not leave. */
export const pushMetricExporter = (
  delivery: Delivery<ResourceMetrics>,
  monitor: ExportMonitor,
  temporality: Temporality,
  filter: (metrics: ResourceMetrics) => ResourceMetrics,
): PushMetricExporter => ({
  export(metrics, done) {
    const finish = (failure: Error | undefined, partial: PartialSuccess | undefined): void => {
      if (failure === undefined) monitor.succeeded(partial);
      else monitor.failed(failure);
      done(
        failure === undefined ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error: failure },
      );
    };
    try {
      delivery.send(filter(metrics), finish);
    } catch (error) {
      finish(asError(error), undefined);
    }
  },
  forceFlush: () => delivery.settle(),
  shutdown: () => delivery.shutdown(),
  selectAggregationTemporality: (instrument) =>
    forgetsOld(instrument) || isDelta(temporality, instrument)
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE,
});

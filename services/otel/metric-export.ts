import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ExportMonitor } from './export-monitor.ts';

/** Reports every export to the monitor, and lets `filter` take out what must not leave. */
export const monitoredMetricExporter = (
  inner: PushMetricExporter,
  monitor: ExportMonitor,
  filter: (metrics: ResourceMetrics) => ResourceMetrics,
): PushMetricExporter => ({
  export(metrics, done) {
    const finish = (result: ExportResult): void => {
      if (result.code === ExportResultCode.SUCCESS) monitor.succeeded();
      else monitor.failed(result.error ?? new Error('no reason given'));
      done(result);
    };
    try {
      inner.export(filter(metrics), finish);
    } catch (error) {
      finish({ code: ExportResultCode.FAILED, error: error instanceof Error ? error : new Error(String(error)) });
    }
  },
  forceFlush: () => inner.forceFlush(),
  shutdown: () => inner.shutdown(),
  selectAggregation: inner.selectAggregation?.bind(inner),
  selectAggregationTemporality: inner.selectAggregationTemporality?.bind(inner),
});

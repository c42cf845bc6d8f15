import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { Family, Series } from '../../runtime/metrics/snapshot.ts';
import type { Temporality } from './settings-types.ts';
import { SCOPE_NAME, toHrTime } from './tracer.ts';

/** What a series had at the last collection, for delta temporality. */
interface Last {
  readonly value: number;
  readonly count: number;
  readonly bucketCounts: readonly number[];
  readonly time: number;
}

const attributesOf = (series: Series): Record<string, string> => {
  const attributes: Record<string, string> = {};
  for (const [i, name] of series.labelNames.entries()) attributes[name] = series.labelValues[i] ?? '';
  return attributes;
};

const histogramOf = (family: Family, series: Series): Histogram => ({
  // min and max are absent: of a cumulative series they would be those of the program's whole life.
  buckets: { boundaries: [...family.boundaries], counts: Array.from(series.bucketCounts) },
  sum: series.value,
  count: series.count,
});

const isDelta = (family: Family, temporality: Temporality): boolean =>
  temporality !== 'cumulative' && (family.kind === 'counter' || family.kind === 'histogram');

/**
 * Hands the collector's numbers to an OTLP reader, under the names that Prometheus shows. Temporality `delta` and `lowmemory`
 * apply to counters and histograms; gauges have none, and up-down counters stay cumulative, as the OTLP preference says.
 */
export const metricProducer = (collector: Collector, version: string, temporality: Temporality): MetricProducer => {
  const lastOf = new Map<string, Last>();

  /** The change since the last collection; undefined when there is none. A value that fell began anew. */
  const delta = (family: Family, series: Series, time: number): { series: Series; from: number } | undefined => {
    const key = [family.name, ...series.labelNames, ...series.labelValues].join('\u0000');
    const last = lastOf.get(key);
    const bucketCounts = Array.from(series.bucketCounts);
    lastOf.set(key, { value: series.value, count: series.count, bucketCounts, time });
    const beganAnew = last === undefined || series.count < last.count;
    if (beganAnew || (family.kind === 'counter' && series.value < last.value)) {
      return { series, from: last?.time ?? series.startTime };
    }
    if (series.value === last.value && series.count === last.count) return undefined;
    const changed = {
      ...series,
      value: series.value - last.value,
      count: series.count - last.count,
      bucketCounts: bucketCounts.map((count, i) => count - (last.bucketCounts[i] ?? 0)),
    };
    return { series: changed, from: last.time };
  };

  const points = <T>(family: Family, endMs: number, read: (series: Series) => T): DataPoint<T>[] => {
    const endTime: HrTime = toHrTime(endMs);
    const made: DataPoint<T>[] = [];
    for (const series of family.series) {
      const change = isDelta(family, temporality) ? delta(family, series, endMs) : { series, from: series.startTime };
      if (change === undefined) continue;
      made.push({
        startTime: toHrTime(Math.min(change.from, endMs)),
        endTime,
        attributes: attributesOf(series),
        value: read(change.series),
      });
    }
    return made;
  };

  const metricOf = (family: Family, endMs: number): MetricData => {
    const shared = {
      descriptor: {
        name: family.name,
        description: family.help,
        unit: family.unit,
        valueType: ValueType.DOUBLE,
      },
      aggregationTemporality: isDelta(family, temporality)
        ? AggregationTemporality.DELTA
        : AggregationTemporality.CUMULATIVE,
    };
    switch (family.kind) {
      case 'histogram': {
        const dataPoints = points(family, endMs, (series) => histogramOf(family, series));
        return { ...shared, dataPointType: DataPointType.HISTOGRAM, dataPoints };
      }
      case 'gauge':
        return { ...shared, dataPointType: DataPointType.GAUGE, dataPoints: points(family, endMs, (s) => s.value) };
      default: {
        const dataPoints = points(family, endMs, (series) => series.value);
        return { ...shared, dataPointType: DataPointType.SUM, isMonotonic: family.kind === 'counter', dataPoints };
      }
    }
  };

  return {
    async collect() {
      const { time, families } = collector.snapshot();
      const metrics = families.map((family) => metricOf(family, time)).filter((metric) => metric.dataPoints.length > 0);
      const scopeMetrics = metrics.length === 0 ? [] : [{ scope: { name: SCOPE_NAME, version }, metrics }];
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
    },
  };
};

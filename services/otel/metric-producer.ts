import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { Exemplar, Family, Series } from '../../runtime/metrics/snapshot.ts';
import { type Change, deltaState } from './delta-state.ts';
import { toHrTime } from './hr-time.ts';
import type { PointWithExemplars } from './otlp/metric-points.ts';
import type { Temporality } from './settings-types.ts';
import { SCOPE_NAME } from './tracer.ts';

const attributesOf = (series: Series): Attributes => {
  const attributes: Record<string, string> = {};
  for (const [i, name] of series.labelNames.entries()) attributes[name] = series.labelValues[i] ?? '';
  return attributes;
};

// min and max are absent: of a cumulative series they would be those of the program's whole life.
const histogramOf = (family: Family, change: Change): Histogram => ({
  buckets: { boundaries: family.boundaries as number[], counts: Array.from(change.bucketCounts) },
  sum: change.value,
  count: change.count,
});

const NO_BUCKETS = { offset: 0, bucketCounts: [] };

const exponentialOf = (change: Change): ExponentialHistogram => ({
  count: change.count,
  sum: change.value,
  scale: change.exponential?.scale ?? 0,
  zeroCount: change.exponential?.zeroCount ?? 0,
  positive: {
    offset: change.exponential?.offset ?? 0,
    bucketCounts: Array.from(change.exponential?.counts ?? NO_BUCKETS.bucketCounts),
  },
  negative: NO_BUCKETS, // histograms refuse negative values
});

/** `lowmemory` wants no memory for what is read at collection: those sums stay what was read. */
const isDelta = ({ kind, series }: Family, temporality: Temporality): boolean => {
  if (temporality === 'cumulative') return false;
  if (kind === 'histogram' || (kind === 'counter' && temporality === 'delta')) return true;
  return kind === 'counter' && !series.some(({ isObserved }) => isObserved === true);
};

/** Snapshots share what does not change: a metric of exponential histograms has them in all its series. */
const isExponential = (family: Family): boolean => family.series[0]?.exponential !== undefined;

const present = (exemplars: readonly (Exemplar | undefined)[]): readonly Exemplar[] =>
  exemplars.filter((exemplar) => exemplar !== undefined);

/**
 * Hands the collector's numbers to an OTLP reader, under the names that Prometheus shows. Temporality `delta` and `lowmemory`
 * apply to counters and histograms; gauges have none, and up-down counters stay cumulative, as the OTLP preference says.
 * Each reader needs a producer of its own: what was added since the last collection is that reader's.
 */
export const metricProducer = (collector: Collector, version: string, temporality: Temporality): MetricProducer => {
  const state = deltaState();
  /** By the label values, which are the same array for the life of a series. */
  const attributes = new WeakMap<readonly string[], Attributes>();

  const attributesFor = (series: Series): Attributes => {
    let made = attributes.get(series.labelValues);
    if (made === undefined) {
      made = attributesOf(series);
      attributes.set(series.labelValues, made);
    }
    return made;
  };

  const points = <T>(family: Family, endMs: number, read: (change: Change) => T): PointWithExemplars<T>[] => {
    const endTime: HrTime = toHrTime(endMs);
    const takesChanges = isDelta(family, temporality);
    const made: PointWithExemplars<T>[] = [];
    for (const series of family.series) {
      const change: Change | undefined = takesChanges
        ? state.take(family.kind, series, endMs)
        : { ...series, from: series.startTime };
      if (change === undefined) continue;
      made.push({
        startTime: toHrTime(Math.min(change.from, endMs)),
        endTime,
        attributes: attributesFor(series),
        value: read(change),
        exemplars: present(change.exemplars),
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
        if (isExponential(family)) {
          const dataPoints = points(family, endMs, exponentialOf);
          return { ...shared, dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM, dataPoints };
        }
        const dataPoints = points(family, endMs, (change) => histogramOf(family, change));
        return { ...shared, dataPointType: DataPointType.HISTOGRAM, dataPoints };
      }
      case 'gauge':
        return {
          ...shared,
          dataPointType: DataPointType.GAUGE,
          dataPoints: points(family, endMs, (change) => change.value),
        };
      default: {
        const dataPoints = points(family, endMs, (change) => change.value);
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

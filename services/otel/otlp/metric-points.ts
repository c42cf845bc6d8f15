import type { DataPoint, ExponentialHistogram, Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import type { Exemplar } from '../../../runtime/metrics/snapshot.ts';

/**
 * A point of one of our own series: the SDK's shape has no room for exemplars, and its reader hands points on as they
 * are. Third parties' points have none.
 */
export interface PointWithExemplars<T> extends DataPoint<T> {
  readonly exemplars?: readonly Exemplar[];
}

export type NumberPoint = PointWithExemplars<number>;
export type HistogramPoint = PointWithExemplars<Histogram>;
export type ExponentialPoint = PointWithExemplars<ExponentialHistogram>;

const NONE: readonly Exemplar[] = [];

export const exemplarsOf = (point: PointWithExemplars<unknown>): readonly Exemplar[] => point.exemplars ?? NONE;

/** The numbers of AggregationTemporality on the wire; the SDK counts from 0. */
export const wireTemporality = (metric: MetricData): number => metric.aggregationTemporality + 1;

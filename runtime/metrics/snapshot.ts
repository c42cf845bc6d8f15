import type { ExponentialBuckets } from './exponential.ts';

/** What sinks read. Label texts are shared with the core, not copied; treat everything as read-only. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Ordered by exported name. A family without series is left out. */
  readonly families: readonly Family[];
}

export type InstrumentKind = 'counter' | 'gauge' | 'upDownCounter' | 'histogram';

export interface Family {
  /** With the namespace, in the Prometheus form: `wippy_function_calls`. The same in every sink. */
  readonly name: string;
  readonly kind: InstrumentKind;
  readonly help: string;
  readonly unit: string;
  /** Histograms: upper bounds without +Inf. */
  readonly boundaries: readonly number[];
  readonly series: readonly Series[];
}

/**
 * One series. `labelNames[i]` has `labelValues[i]`; names ascending. `labelValues` is the same array for the life of the
 * series, and Series and Family are the same objects as long as nothing in them changed: a sink may keep what it made of
 * them in a WeakMap.
 */
export interface Series {
  readonly labelNames: readonly string[];
  readonly labelValues: readonly string[];
  /** Milliseconds since the epoch: when the series was bound, which is when it began to count from 0. Never changes. */
  readonly startTime: number;
  /** Changes whenever a value of the series does; a sink may keep what it rendered while it stays the same. */
  readonly version: number;
  /** Counters, gauges, up-down counters: the value. Histograms: the sum. */
  readonly value: number;
  /** Histograms: plain (not cumulative) counts, one more than boundaries. Empty for others. */
  readonly bucketCounts: ArrayLike<number>;
  /** Histograms: the number of observations. 0 for others. */
  readonly count: number;
  /** Per bucket for histograms, at index 0 for counters; undefined where there is none. */
  readonly exemplars: readonly (Exemplar | undefined)[];
  /** Histograms that are configured to be exponential as well: the same observations in buckets of that kind. */
  readonly exponential?: ExponentialBuckets | undefined;
}

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

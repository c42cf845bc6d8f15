import type { SpanIds } from '../trace.ts';
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
  /** Read at collection (`Collector.observe`). */
  readonly isObserved?: true;
}

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What a sink sees of a metric that never changes. One object for the life of the metric. */
export type FamilyHead = Omit<Family, 'series'>;

/**
 * All numbers at one moment, copied in blocks and not looked at: what takes its time over many series reads this in slices
 * and still shows one moment. Label texts are read from the core, where they never change.
 */
export interface Capture {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Ordered by exported name, families without a visible series included. */
  readonly families: readonly CapturedFamily[];
}

export interface CapturedFamily {
  readonly head: FamilyHead;
  readonly blocks: readonly CapturedBlock[];
  /** Series that were read at this collection. */
  readonly observed: readonly Series[];
}

/** The series of one set of label names. `series-rows.ts` says which cell of a row is what. */
export interface CapturedBlock {
  /** The same object for the same block in every capture: a sink keeps what it made of a row under it. */
  readonly source: object;
  readonly labelNames: readonly string[];
  /** Rows, numbered from 0; a row stays the same series for ever. */
  readonly size: number;
  /** Cells of a row. */
  readonly width: number;
  /** Whether a series of version 0, which was never used, is shown. */
  readonly isShownUnused: boolean;
  chunkOf(row: number): Float64Array;
  labelValues(row: number): readonly string[];
  exemplar(row: number, place: number): CapturedExemplar | undefined;
}

export interface CapturedExemplar {
  readonly ids: SpanIds;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

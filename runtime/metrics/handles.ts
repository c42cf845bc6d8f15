import type { Clock } from '../clock.ts';
import type { SpanIds } from '../trace.ts';
import type { BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter } from './collector.ts';
import { BUCKETS, type Slots, VALUE, VERSION } from './slots.ts';
import type { InstrumentKind } from './snapshot.ts';
import type { StoredSeries } from './stored-series.ts';
import type { INVALID_OBSERVATION_REASONS } from './vocabulary.ts';

export type InvalidReason = (typeof INVALID_OBSERVATION_REASONS)[number];

/** What every handle of one family shares. */
export interface HandleScope {
  readonly slots: Slots;
  readonly clock: Clock;
  /** Histograms: upper bounds without +Inf. */
  readonly boundaries: readonly number[];
  /** Counts a value that a series cannot take. Never throws. */
  readonly reject: (reason: InvalidReason) => void;
}

export type HandleOf<K extends InstrumentKind> = K extends 'counter'
  ? BoundCounter
  : K extends 'gauge'
    ? BoundGauge
    : K extends 'upDownCounter'
      ? BoundUpDownCounter
      : BoundHistogram;

/** Why a series of this kind cannot take `value`; undefined when it can. */
export const invalidReason = (kind: InstrumentKind, value: number): InvalidReason | undefined => {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return 'infinite';
  // A histogram's sum is a counter to every reader, so it takes no negative values either (OpenTelemetry metrics API, "Histogram").
  if (value < 0 && (kind === 'counter' || kind === 'histogram')) return 'negative';
  return undefined;
};

// A handle's methods run on every emit: array writes only, nothing is allocated and nothing is looked up. One comparison
// of the new total finds every value that must not get in, a total beyond the largest double included.

const counterHandle = (scope: HandleScope, series: StoredSeries): BoundCounter => {
  const { slots, clock, reject } = scope;
  const { slot, exemplarIds } = series;
  return {
    add(value: number, exemplar?: SpanIds) {
      const { cells } = slots;
      const total = (cells[slot + VALUE] as number) + value;
      if (!(value >= 0 && total < Number.POSITIVE_INFINITY))
        return reject(invalidReason('counter', value) ?? 'infinite');
      cells[slot + VALUE] = total;
      (cells[slot + VERSION] as number) += 1;
      if (exemplar === undefined) return;
      exemplarIds[0] = exemplar;
      cells[slot + BUCKETS] = value;
      cells[slot + BUCKETS + 1] = clock.wall();
    },
  };
};

const gaugeHandle = (scope: HandleScope, series: StoredSeries): BoundGauge => {
  const { slots, reject } = scope;
  const { slot } = series;
  return {
    set(value: number) {
      if (!Number.isFinite(value)) return reject(invalidReason('gauge', value) ?? 'infinite');
      const { cells } = slots;
      cells[slot + VALUE] = value;
      (cells[slot + VERSION] as number) += 1;
    },
  };
};

const upDownHandle = (scope: HandleScope, series: StoredSeries): BoundUpDownCounter => {
  const { slots, reject } = scope;
  const { slot } = series;
  return {
    add(value: number) {
      const { cells } = slots;
      const total = (cells[slot + VALUE] as number) + value;
      if (!Number.isFinite(total)) return reject(invalidReason('upDownCounter', value) ?? 'infinite');
      cells[slot + VALUE] = total;
      (cells[slot + VERSION] as number) += 1;
    },
  };
};

const histogramHandle = (scope: HandleScope, series: StoredSeries): BoundHistogram => {
  const { slots, clock, reject } = scope;
  const { slot, exemplarIds } = series;
  const bounds = Float64Array.from(scope.boundaries);
  const firstExemplar = BUCKETS + bounds.length + 1;
  return {
    observe(value: number, exemplar?: SpanIds) {
      const { cells } = slots;
      const sum = (cells[slot + VALUE] as number) + value;
      if (!(value >= 0 && sum < Number.POSITIVE_INFINITY))
        return reject(invalidReason('histogram', value) ?? 'infinite');
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
      cells[slot + VALUE] = sum;
      (cells[slot + BUCKETS + bucket] as number) += 1;
      (cells[slot + VERSION] as number) += 1;
      if (exemplar === undefined) return;
      exemplarIds[bucket] = exemplar;
      cells[slot + firstExemplar + 2 * bucket] = value;
      cells[slot + firstExemplar + 2 * bucket + 1] = clock.wall();
    },
  };
};

/** The handle of a series. */
export const handleFor: { [K in InstrumentKind]: (scope: HandleScope, series: StoredSeries) => HandleOf<K> } = {
  counter: counterHandle,
  gauge: gaugeHandle,
  upDownCounter: upDownHandle,
  histogram: histogramHandle,
};

/** What a value over the cap goes through: it is counted, and added where a sum makes sense; a gauge's `set` is dropped. */
export const overflowHandleFor: {
  [K in InstrumentKind]: (other: () => HandleOf<K>, count: () => void) => HandleOf<K>;
} = {
  counter: (other, count) => ({
    add(value: number, exemplar?: SpanIds) {
      count();
      other().add(value, exemplar);
    },
  }),
  gauge: (_other, count) => ({ set: count }),
  upDownCounter: (other, count) => ({
    add(value: number) {
      count();
      other().add(value);
    },
  }),
  histogram: (other, count) => ({
    observe(value: number, exemplar?: SpanIds) {
      count();
      other().observe(value, exemplar);
    },
  }),
};

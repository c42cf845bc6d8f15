import type { Clock } from '../clock.ts';
import type { SpanIds } from '../trace.ts';
import type { BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter } from './collector.ts';
import type { ExemplarPlaces, SeriesBlock } from './series-block.ts';
import { BUCKETS, cellOf, VALUE, VERSION } from './series-rows.ts';
import type { InstrumentKind } from './snapshot.ts';
import type { INVALID_OBSERVATION_REASONS } from './vocabulary.ts';

export type InvalidReason = (typeof INVALID_OBSERVATION_REASONS)[number];

/** What every handle of one family shares. */
export interface HandleScope {
  readonly clock: Clock;
  /** Histograms: upper bounds without +Inf. */
  readonly boundaries: Float64Array;
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
// of the new total finds every value that must not get in, a total beyond the largest double included. They are classes,
// because 20,000 handles of closures cost twice the memory.

class CounterHandle implements BoundCounter {
  private readonly cells: Float64Array;
  private readonly at: number;
  private readonly scope: HandleScope;
  private readonly block: SeriesBlock;
  private readonly row: number;
  constructor(scope: HandleScope, block: SeriesBlock, row: number) {
    this.cells = block.rows.chunkOf(row);
    this.at = cellOf(row, block.rows.width);
    this.scope = scope;
    this.block = block;
    this.row = row;
  }
  add(value: number, exemplar?: SpanIds): void {
    const { cells, at } = this;
    const total = (cells[at + VALUE] as number) + value;
    if (!(value >= 0 && total < Number.POSITIVE_INFINITY))
      return this.scope.reject(invalidReason('counter', value) ?? 'infinite');
    cells[at + VALUE] = total;
    (cells[at + VERSION] as number) += 1;
    if (exemplar !== undefined) keep(this.block.exemplarsOf(this.row), 0, exemplar, value, this.scope.clock);
  }
}

class GaugeHandle implements BoundGauge {
  private readonly cells: Float64Array;
  private readonly at: number;
  private readonly scope: HandleScope;
  constructor(scope: HandleScope, block: SeriesBlock, row: number) {
    this.cells = block.rows.chunkOf(row);
    this.at = cellOf(row, block.rows.width);
    this.scope = scope;
  }
  set(value: number): void {
    if (!Number.isFinite(value)) return this.scope.reject(invalidReason('gauge', value) ?? 'infinite');
    const { cells, at } = this;
    cells[at + VALUE] = value;
    (cells[at + VERSION] as number) += 1;
  }
}

class UpDownHandle implements BoundUpDownCounter {
  private readonly cells: Float64Array;
  private readonly at: number;
  private readonly scope: HandleScope;
  constructor(scope: HandleScope, block: SeriesBlock, row: number) {
    this.cells = block.rows.chunkOf(row);
    this.at = cellOf(row, block.rows.width);
    this.scope = scope;
  }
  add(value: number): void {
    const { cells, at } = this;
    const total = (cells[at + VALUE] as number) + value;
    if (!Number.isFinite(total)) return this.scope.reject(invalidReason('upDownCounter', value) ?? 'infinite');
    cells[at + VALUE] = total;
    (cells[at + VERSION] as number) += 1;
  }
}

class HistogramHandle implements BoundHistogram {
  private readonly cells: Float64Array;
  private readonly at: number;
  private readonly bounds: Float64Array;
  private readonly scope: HandleScope;
  private readonly block: SeriesBlock;
  private readonly row: number;
  constructor(scope: HandleScope, block: SeriesBlock, row: number) {
    this.cells = block.rows.chunkOf(row);
    this.at = cellOf(row, block.rows.width);
    this.bounds = scope.boundaries;
    this.scope = scope;
    this.block = block;
    this.row = row;
  }
  observe(value: number, exemplar?: SpanIds): void {
    const { cells, at, bounds } = this;
    const sum = (cells[at + VALUE] as number) + value;
    if (!(value >= 0 && sum < Number.POSITIVE_INFINITY))
      return this.scope.reject(invalidReason('histogram', value) ?? 'infinite');
    const bucket = bucketOf(bounds, value);
    cells[at + VALUE] = sum;
    (cells[at + BUCKETS + bucket] as number) += 1;
    (cells[at + VERSION] as number) += 1;
    if (exemplar !== undefined) keep(this.block.exemplarsOf(this.row), bucket, exemplar, value, this.scope.clock);
  }
}

/** Up to here a walk is faster than halving: its end is the only step that is hard to predict (measured at 14 bounds). */
const WALK_BOUNDS = 24;

/** The first bucket whose bound is not below `value`; the last one, +Inf, where there is none. */
const bucketOf = (bounds: Float64Array, value: number): number => {
  let low = 0;
  let high = bounds.length;
  if (high <= WALK_BOUNDS) {
    while (low < high && value > (bounds[low] as number)) low += 1;
    return low;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value > (bounds[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
};

const keep = (places: ExemplarPlaces, place: number, ids: SpanIds, value: number, clock: Clock): void => {
  const kept = places[place];
  if (kept === undefined) {
    places[place] = { ids, value, time: clock.wall() };
    return;
  }
  kept.value = value;
  if (kept.ids === ids) return; // many in one span: the time of the first is near enough, and costs nothing
  kept.ids = ids;
  kept.time = clock.wall();
};

/** The handle of a series. */
export const handleFor: {
  [K in InstrumentKind]: (scope: HandleScope, block: SeriesBlock, row: number) => HandleOf<K>;
} = {
  counter: (scope, block, row) => new CounterHandle(scope, block, row),
  gauge: (scope, block, row) => new GaugeHandle(scope, block, row),
  upDownCounter: (scope, block, row) => new UpDownHandle(scope, block, row),
  histogram: (scope, block, row) => new HistogramHandle(scope, block, row),
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

import type { SpanIds } from '../trace.ts';
import type { ExponentialSeries } from './exponential.ts';
import { BUCKETS, type Slot, type Slots, VALUE, VERSION } from './slots.ts';
import type { Exemplar, InstrumentKind, Series } from './snapshot.ts';

/** One series of a family, whichever way its value comes about. */
export interface Member {
  /** Before anything is collected: reads what is read at collection. */
  refresh?(): void;
  /** What sinks see; the same object as long as nothing has changed. Undefined while there is nothing to see. */
  collect(): Series | undefined;
}

/** A series whose numbers live in slots. */
export interface StoredSeries extends Member {
  readonly slot: Slot;
  /** Whose span the exemplar of a bucket (a counter's is at 0) is; its value and time are cells. */
  readonly exemplarIds: (SpanIds | undefined)[];
}

export interface StoredShape {
  readonly kind: InstrumentKind;
  readonly labelNames: readonly string[];
  readonly labelValues: readonly string[];
  readonly startTime: number;
  /** Histograms: how many buckets, +Inf included. 0 for others. */
  readonly buckets: number;
  readonly exponential?: ExponentialSeries | undefined;
}

/** How many exemplars a series can hold: one per bucket, one for a counter, none for gauges. */
const exemplarPlaces = (kind: InstrumentKind, buckets: number): number =>
  kind === 'histogram' ? buckets : kind === 'counter' ? 1 : 0;

const NO_EXEMPLARS: readonly undefined[] = [];

export const storedSeries = (slots: Slots, shape: StoredShape): StoredSeries => {
  const { kind, buckets } = shape;
  const places = exemplarPlaces(kind, buckets);
  const firstExemplar = BUCKETS + buckets;
  const slot = slots.allocate(firstExemplar + 2 * places);
  const exemplarIds: (SpanIds | undefined)[] = [];
  // No series before its first use, except label-less counters and gauges: those are 0 (telemetry.md, section 1).
  const isShownUnused = shape.labelNames.length === 0 && kind !== 'histogram';
  let shown: Series | undefined;

  const exemplars = (): readonly (Exemplar | undefined)[] => {
    if (exemplarIds.length === 0) return NO_EXEMPLARS;
    const { cells } = slots;
    return Array.from({ length: places }, (_, place) => {
      const ids = exemplarIds[place];
      if (ids === undefined) return undefined;
      const at = slot + firstExemplar + 2 * place;
      return {
        traceId: ids.traceId,
        spanId: ids.spanId,
        value: cells[at] as number,
        time: cells[at + 1] as number,
      };
    });
  };

  return {
    slot,
    exemplarIds,
    collect() {
      const { cells } = slots;
      const version = cells[slot + VERSION] as number;
      if (version === 0 && !isShownUnused) return undefined;
      if (shown !== undefined && shown.version === version) return shown;
      const bucketCounts = cells.slice(slot + BUCKETS, slot + BUCKETS + buckets);
      shown = {
        labelNames: shape.labelNames,
        labelValues: shape.labelValues,
        startTime: shape.startTime,
        version,
        value: cells[slot + VALUE] as number,
        bucketCounts,
        // The total is the sum of the buckets, so that `+Inf` is `_count` (Prometheus text format, histograms).
        count: bucketCounts.reduce((total, count) => total + count, 0),
        exemplars: exemplars(),
        exponential: shape.exponential?.snapshot(),
      };
      return shown;
    },
  };
};

import type { SpanIds } from '../trace.ts';
import { type ExponentialSeries, exponentialSeries } from './exponential.ts';
import { type LabelTable, labelTable } from './label-table.ts';
import { BUCKETS, cellOf, type SeriesRows, START, seriesRows, VALUE, VERSION } from './series-rows.ts';
import type { CapturedBlock, Exemplar, InstrumentKind, Series } from './snapshot.ts';

/** The series of one family that have the same label names. */
export interface SeriesBlock {
  readonly labelNames: readonly string[];
  readonly labels: LabelTable;
  readonly rows: SeriesRows;
  add(values: readonly string[], startTime: number): number;
  /** Where the exemplars of a series are: one place per bucket, one for a counter. */
  exemplarsOf(row: number): ExemplarPlaces;
  /** The exponential buckets of a series: made when first asked for, which only configured histograms do. */
  exponentialOf(row: number): ExponentialSeries;
  /** What a sink sees; the same object as long as nothing has changed. Undefined while there is nothing to see. */
  seriesAt(row: number): Series | undefined;
  capture(time: number): CapturedBlock;
}

/** Written in place, so that keeping an exemplar allocates once per place. */
export interface KeptExemplar {
  ids: SpanIds;
  value: number;
  time: number;
}
export type ExemplarPlaces = (KeptExemplar | undefined)[];

const NO_EXEMPLARS: readonly undefined[] = [];
const NO_BUCKETS: readonly number[] = [];

const shownExemplar = (kept: KeptExemplar | undefined): Exemplar | undefined =>
  kept && { traceId: kept.ids.traceId, spanId: kept.ids.spanId, value: kept.value, time: kept.time };

export const seriesBlock = (kind: InstrumentKind, labelNames: readonly string[], buckets: number): SeriesBlock => {
  const labels = labelTable(labelNames.length);
  const rows = seriesRows(buckets);
  const { width } = rows;
  const exemplars = new Map<number, ExemplarPlaces>();
  const exponentials = new Map<number, ExponentialSeries>();
  const shown: (Series | undefined)[] = [];
  // No series before its first use, except label-less counters and gauges: those are 0 (telemetry.md, section 1).
  const isShownUnused = labelNames.length === 0 && kind !== 'histogram';

  const exemplarsShown = (row: number): Series['exemplars'] => {
    const places = exemplars.get(row);
    if (places === undefined) return NO_EXEMPLARS;
    return Array.from({ length: Math.max(buckets, 1) }, (_, place) => shownExemplar(places[place]));
  };

  const block: SeriesBlock = {
    labelNames,
    labels,
    rows,
    add(values, startTime) {
      const row = labels.add(values);
      rows.add();
      rows.chunkOf(row)[cellOf(row, width) + START] = startTime;
      return row;
    },
    exemplarsOf(row) {
      let places = exemplars.get(row);
      if (places === undefined) {
        places = [];
        exemplars.set(row, places);
      }
      return places;
    },
    exponentialOf(row) {
      let one = exponentials.get(row);
      if (one === undefined) {
        one = exponentialSeries();
        exponentials.set(row, one);
      }
      return one;
    },
    seriesAt(row) {
      const cells = rows.chunkOf(row);
      const at = cellOf(row, width);
      const version = cells[at + VERSION] as number;
      if (version === 0 && !isShownUnused) return undefined;
      const known = shown[row];
      if (known?.version === version) return known;
      const bucketCounts = buckets === 0 ? NO_BUCKETS : cells.slice(at + BUCKETS, at + BUCKETS + buckets);
      let count = 0;
      // The total is the sum of the buckets, so that `+Inf` is `_count` (Prometheus text format, histograms).
      for (let i = 0; i < buckets; i += 1) count += bucketCounts[i] as number;
      const series: Series = {
        labelNames,
        labelValues: known?.labelValues ?? labels.values(row),
        startTime: cells[at + START] as number,
        version,
        value: cells[at + VALUE] as number,
        bucketCounts,
        count,
        exemplars: exemplarsShown(row),
        exponential: exponentials.get(row)?.snapshot(),
      };
      shown[row] = series;
      return series;
    },
    capture(time) {
      const { chunkOf } = rows.copy();
      return {
        source: block,
        labelNames,
        size: labels.size,
        width,
        isShownUnused,
        chunkOf,
        labelValues: labels.values,
        exemplar(row, place) {
          const kept = exemplars.get(row)?.[place];
          // Rendering may come later than the copy; an exemplar that is newer than the counts belongs to the next one.
          return kept !== undefined && kept.time <= time ? kept : undefined;
        },
      };
    },
  };
  return block;
};

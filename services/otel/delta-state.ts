import { downscale, type ExponentialBuckets } from '../../runtime/metrics/exponential.ts';
import type { Exemplar, InstrumentKind, Series } from '../../runtime/metrics/snapshot.ts';

/** What a series did in an interval. Times in milliseconds since the epoch. */
export type Change = Pick<Series, 'value' | 'count' | 'bucketCounts' | 'exemplars'> & {
  readonly from: number;
  readonly exponential?: ExponentialBuckets | undefined;
};

/** What one reader saw last of each series. */
export interface DeltaState {
  /** The change since the last call for the series; undefined when there is none. A value that fell began anew. */
  take(kind: InstrumentKind, series: Series, time: number): Change | undefined;
}

interface Last {
  readonly series: Series;
  readonly time: number;
}

const isSame = (a: Exemplar | undefined, b: Exemplar | undefined): boolean =>
  a?.spanId === b?.spanId && a?.time === b?.time && a?.value === b?.value;

/** `now` less `before`, at the coarser scale of the two, which is that of `now`: scales only fall. */
const subtract = (
  now: ExponentialBuckets | undefined,
  before: ExponentialBuckets | undefined,
): ExponentialBuckets | undefined => {
  if (now === undefined || before === undefined) return now;
  const then = downscale(before, before.scale - now.scale);
  const shift = then.offset - now.offset; // the range only grows: never negative where there are buckets
  const counts = Array.from(now.counts, (count, i) => count - (then.counts[i - shift] ?? 0));
  // Buckets without observations at the ends are left out.
  const first = counts.findIndex((count) => count !== 0);
  const last = counts.findLastIndex((count) => count !== 0);
  return {
    scale: now.scale,
    zeroCount: now.zeroCount - before.zeroCount,
    offset: first === -1 ? 0 : now.offset + first,
    counts: first === -1 ? [] : counts.slice(first, last + 1),
  };
};

export const deltaState = (): DeltaState => {
  /** By the label values, which are the same array for the life of a series: what is gone is forgotten with it. */
  const lastOf = new WeakMap<readonly string[], Last>();

  return {
    take(kind, series, time) {
      const last = lastOf.get(series.labelValues);
      lastOf.set(series.labelValues, { series, time });
      if (last === undefined) return { ...series, from: series.startTime };
      const before = last.series;
      const from = last.time;
      const beganAnew = series.count < before.count || (kind === 'counter' && series.value < before.value);
      if (beganAnew) return { ...series, from };
      if (series.value === before.value && series.count === before.count) return undefined;
      return {
        from,
        value: series.value - before.value,
        count: series.count - before.count,
        bucketCounts: Array.from(series.bucketCounts, (count, i) => count - (before.bucketCounts[i] ?? 0)),
        exemplars: series.exemplars.map((one, i) => (isSame(one, before.exemplars[i]) ? undefined : one)),
        exponential: subtract(series.exponential, before.exponential),
      };
    },
  };
};

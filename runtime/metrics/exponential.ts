import type { BoundHistogram } from './collector.ts';

/**
 * Buckets of a base-2 exponential histogram (OpenTelemetry metrics data model, "ExponentialHistogram"): `counts[i]` are the
 * observations in (base^(offset+i), base^(offset+i+1)], where base is 2^(2^-scale).
 */
export interface ExponentialBuckets {
  readonly scale: number;
  readonly zeroCount: number;
  readonly offset: number;
  readonly counts: ArrayLike<number>;
}

/** The data model's default for the SDK: `MaxSize`. */
const MAX_BUCKETS = 160;
/** And `MaxScale`: what is observed first is kept as fine as it can be. */
const MAX_SCALE = 20;

/** The largest power of two that is not above the value: a logarithm may be off by its last bit. */
const exponentOf = (value: number): number => {
  const near = Math.floor(Math.log2(value));
  if (2 ** near > value) return near - 1;
  return 2 ** (near + 1) <= value ? near + 1 : near;
};

/** The bucket of a value above 0. */
export const bucketIndex = (value: number, scale: number): number => {
  const exponent = exponentOf(value);
  // The upper bound belongs to a bucket, so a power of two lies in the one below its exponent.
  const isPower = 2 ** exponent === value;
  if (scale <= 0) return (isPower ? exponent - 1 : exponent) >> -scale;
  const perPower = 2 ** scale;
  if (isPower) return exponent * perPower - 1;
  const index = Math.ceil(Math.log2(value) * perPower) - 1;
  // Rounding must not take it beyond the powers of two around it.
  return Math.min(Math.max(index, exponent * perPower), (exponent + 1) * perPower - 1);
};

/** The same observations in buckets that are 2^`by` times as wide. */
export const downscale = (buckets: ExponentialBuckets, by: number): ExponentialBuckets => {
  if (by === 0) return buckets;
  const { scale, zeroCount, offset, counts } = buckets;
  if (counts.length === 0) return { scale: scale - by, zeroCount, offset: 0, counts };
  const first = offset >> by;
  const merged = new Float64Array(((offset + counts.length - 1) >> by) - first + 1);
  for (let i = 0; i < counts.length; i++) {
    (merged[((offset + i) >> by) - first] as number) += counts[i] as number;
  }
  return { scale: scale - by, zeroCount, offset: first, counts: merged };
};

/** Observations of one series, kept in at most 160 buckets by making them wider. */
export interface ExponentialSeries {
  /** A value of at least 0. */
  record(value: number): void;
  snapshot(): ExponentialBuckets;
}

export const exponentialSeries = (maxBuckets = MAX_BUCKETS): ExponentialSeries => {
  let scale = MAX_SCALE;
  let zeroCount = 0;
  let low = 0; // index of the first bucket
  let counts = new Float64Array(0);

  /** How much coarser the scale must be for both indexes to fit. */
  const excess = (from: number, to: number): number => {
    let by = 0;
    while ((to >> by) - (from >> by) >= maxBuckets) by += 1;
    return by;
  };
  const extend = (from: number, to: number): void => {
    const grown = new Float64Array(to - from + 1);
    grown.set(counts, low - from);
    low = from;
    counts = grown;
  };

  return {
    record(value) {
      if (value === 0) {
        zeroCount += 1;
        return;
      }
      let index = bucketIndex(value, scale);
      if (counts.length === 0) {
        low = index;
        counts = new Float64Array(1);
      } else if (index < low || index >= low + counts.length) {
        const by = excess(Math.min(index, low), Math.max(index, low + counts.length - 1));
        if (by > 0) {
          const wider = downscale({ scale, zeroCount, offset: low, counts }, by);
          ({ scale, offset: low } = wider);
          counts = Float64Array.from(wider.counts);
          index >>= by;
        }
        const high = low + counts.length - 1;
        if (index < low || index > high) extend(Math.min(index, low), Math.max(index, high));
      }
      (counts[index - low] as number) += 1;
    },
    snapshot: () => ({ scale, zeroCount, offset: counts.length === 0 ? 0 : low, counts: counts.slice() }),
  };
};

/** Gives every value that the histogram takes to the exponential one as well; what it refuses goes to neither. */
export const alsoExponential = (
  handle: BoundHistogram,
  version: () => number,
  exponential: ExponentialSeries,
): BoundHistogram => ({
  observe(value, exemplar) {
    const before = version();
    handle.observe(value, exemplar);
    if (version() !== before) exponential.record(value);
  },
});

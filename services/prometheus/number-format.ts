/** A value as both text formats write it (Prometheus text format 0.0.4; OpenMetrics 1.0, "Numbers"). */
export const formatValue = (value: number): string => {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  // JavaScript's shortest form, `1e+21` included, is what Go's ParseFloat reads; it writes -0 as 0.
  return String(value);
};

/** A bound as OpenMetrics wants it in `le`: always a float, so that `1` and `1.0` are not two buckets ("Canonical Numbers"). */
export const formatCanonical = (value: number): string => {
  const text = formatValue(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
};

/** Milliseconds since the epoch as seconds. */
export const formatTime = (ms: number): string => (ms / 1000).toFixed(3);

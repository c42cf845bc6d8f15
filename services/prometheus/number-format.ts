/** A value as both text formats write it (Prometheus text format 0.0.4; OpenMetrics 1.0, "Numbers"). */
export const formatValue = (value: number): string => {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  // JavaScript's shortest form, `1e+21` included, is what Go's ParseFloat reads; it writes -0 as 0.
  return String(value);
};

/**
 * A bound as OpenMetrics wants it in `le` ("Canonical Numbers"), so that the same bound of two programs is one bucket: Go's
 * `%g`, and always a float.
 */
export const formatCanonical = (value: number): string => {
  if (!Number.isFinite(value)) return formatValue(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power > 5) {
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
};

/** Milliseconds since the epoch as seconds. */
export const formatTime = (ms: number): string => (ms / 1000).toFixed(3);

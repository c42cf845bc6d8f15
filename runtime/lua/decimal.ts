/**
 * Decimal text of a finite number as C's printf rounds it: to the nearest digit of the exact binary value, halves to
 * the even one. JavaScript's own formatting takes halves away from zero (ECMA-262, Number.prototype.toFixed), which
 * only shows where the value lies exactly between two texts (`%.0f` of 0.5 is `0`).
 */

/** JavaScript's formatting knows no more digits than this. */
const MOST_DIGITS = 100;

/** `[-]d.ddde[+-]x` with `digits` digits behind the point, 0 to 99. */
export const exponentialText = (n: number, digits: number): string => {
  const rounded = n.toExponential(digits);
  const [mantissa = '', exponent = ''] = n.toExponential(digits + 1).split('e');
  if (!mantissa.endsWith('5') || !isExact(n.toExponential(MOST_DIGITS), mantissa)) return rounded;
  return evenOf(rounded, `${mantissa.slice(0, -1).replace(/\.$/, '')}e${exponent}`);
};

/** `[-]ddd.ddd` with `digits` digits behind the point, 0 to 99. */
export const fixedText = (n: number, digits: number): string => {
  // From 2^53 on there is no fraction; toFixed gives up at 1e21.
  if (Math.abs(n) >= 2 ** 53) return `${BigInt(n)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  const rounded = n.toFixed(digits);
  const longer = n.toFixed(digits + 1);
  if (!longer.endsWith('5') || !isExact(n.toFixed(MOST_DIGITS), longer)) return rounded;
  return evenOf(rounded, longer.slice(0, -1).replace(/\.$/, ''));
};

/** Whether all digits behind `prefix` are zeros: the value lies exactly half way. */
const isExact = (all: string, prefix: string): boolean =>
  all.startsWith(prefix) && /^0*(?:e.*)?$/.test(all.slice(prefix.length));

/** Of a half's two neighbours the one whose last digit is even. */
const evenOf = (awayFromZero: string, towardsZero: string): string =>
  /^[^e]*[02468](?:e|$)/.test(towardsZero) ? towardsZero : awayFromZero;

/**
 * C's `%g`: `precision` significant digits, in exponent form below 1e-4 and from 10^precision on. Trailing zeros go
 * unless `keepZeros` (the `#` flag).
 */
export const generalText = (n: number, precision: number, keepZeros = false): string => {
  const digits = Math.max(precision, 1);
  const scientific = exponentialText(n, digits - 1);
  const [mantissa = '', exponent = '0'] = scientific.split('e');
  const power = Number(exponent);
  const strip = (text: string): string =>
    keepZeros || !text.includes('.') ? text : text.replace(/0+$/, '').replace(/\.$/, '');
  return power < -4 || power >= digits
    ? strip(mantissa) + exponentText(power)
    : strip(fixedText(n, Math.min(digits - 1 - power, MOST_DIGITS - 1)));
};

/** `e+05`: C writes a sign and two digits at least. */
export const exponentText = (power: number): string =>
  `e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;

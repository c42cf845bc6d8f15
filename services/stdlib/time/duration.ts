import { hostObject } from '../../../runtime/lua/values.ts';

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const WHOLE = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/;
const PART = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g;
/** Go's durations are 64-bit: about 292 years. */
const LONGEST = 2n ** 63n - 1n;

/** A span of time, exact to the nanosecond. */
export class Duration {
  readonly [hostObject] = true as const;
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }

  /** Go's form: `2h15m30s`, `1.5s`, `150ms`, `2µs`, `0s`. */
  toString(): string {
    const size = this.ns < 0n ? -this.ns : this.ns;
    const sign = this.ns < 0n ? '-' : '';
    if (size === 0n) return '0s';
    if (size < 1000n) return `${sign}${size}ns`;
    if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
    if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
    const minutes = size / 60_000_000_000n;
    const seconds = `${decimal(size % 60_000_000_000n, 9)}s`;
    if (minutes === 0n) return `${sign}${seconds}`;
    return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
  }
}

/** `n / 10^digits` without trailing zeros. */
const decimal = (n: bigint, digits: number): string => {
  const text = n.toString().padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  return fraction === '' ? text.slice(0, -digits) : `${text.slice(0, -digits)}.${fraction}`;
};

/** Nanoseconds of a duration text (lua/time.md, section 2), exact; undefined for any other text. */
export const parseDuration = (text: string): bigint | undefined => {
  const [, sign, parts = ''] = WHOLE.exec(text) ?? [];
  if (sign === undefined) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of parts.matchAll(PART)) {
    const size = UNITS[unit] ?? 0n;
    total += BigInt(whole || '0') * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length);
  }
  if (total > LONGEST) return undefined;
  return sign === '-' ? -total : total;
};

/** What stands for a duration: a number of nanoseconds, a duration text or a Duration; undefined for anything else. */
export const durationOf = (value: unknown): bigint | undefined => {
  if (value instanceof Duration) return value.ns;
  if (typeof value === 'string') return parseDuration(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const ns = BigInt(Math.trunc(value));
  return ns > LONGEST || ns < -LONGEST ? undefined : ns;
};

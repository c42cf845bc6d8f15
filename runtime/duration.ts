/** Nanoseconds per unit of Go's duration syntax (lua/common.md, section 8). */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const WHOLE = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Nanoseconds of a duration text such as `1m30s`, `-1.5h`, `0`; undefined when it is not one. */
export const parseDurationNs = (text: string): number | undefined => {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  if (!WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN);
  return Math.round(text.startsWith('-') ? -total : total);
};

/** Milliseconds of a duration text; undefined when it is not one. */
export const parseDurationMs = (text: string): number | undefined => {
  const ns = parseDurationNs(text);
  return ns === undefined ? undefined : ns / 1e6;
};

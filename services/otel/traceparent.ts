import { charCodeAt } from '../../runtime/char-code.ts';
import type { TraceContext } from '../../runtime/trace.ts';

/** Length of a version 00 `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`. */
const LENGTH = 55;
/** Bit 0 is "sampled", bit 1 "random"; all others are set to zero on output (W3C Trace Context, "Trace flags"). */
const KNOWN_FLAGS = 0b11;

/** Lower-case hex only: an upper-case digit makes the whole header invalid (W3C Trace Context, "traceparent"). */
const isLowerHex = (text: string, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) {
    const code = charCodeAt(text, i);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
};

const isZero = (text: string, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (charCodeAt(text, i) !== 48) return false;
  return true;
};

/** Without the spaces and tabs that HTTP allows around a value. */
export const trimBlanks = (text: string): string => {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(charCodeAt(text, from))) from++;
  while (to > from && isBlank(charCodeAt(text, to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
};
const isBlank = (code: number): boolean => code === 32 || code === 9;

/** The value of a lower-case hex digit; the flags we know are all in the last one. */
const lastHexDigit = (code: number): number => (code < 58 ? code - 48 : code - 87);

/** The position that a `traceparent` names, without state; undefined when it is not to be used. */
export const parseTraceparent = (header: string): TraceContext | undefined => {
  const text = trimBlanks(header);
  if (text.length < LENGTH || text[2] !== '-' || text[35] !== '-' || text[52] !== '-') return undefined;
  if (!isLowerHex(text, 0, 2) || text.startsWith('ff')) return undefined;
  if (text.startsWith('00')) {
    if (text.length !== LENGTH) return undefined;
  } else if (text.length > LENGTH && text[LENGTH] !== '-') {
    // A higher version is read by the rules of 00, not refused (W3C Trace Context, "Versioning of traceparent").
    return undefined;
  }
  if (!isLowerHex(text, 3, 35) || isZero(text, 3, 35)) return undefined;
  if (!isLowerHex(text, 36, 52) || isZero(text, 36, 52)) return undefined;
  if (!isLowerHex(text, 53, LENGTH)) return undefined;
  const flags = lastHexDigit(charCodeAt(text, LENGTH - 1)) & KNOWN_FLAGS;
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), flags, isRemote: true };
};

/** Always version 00, whatever came in. */
export const renderTraceparent = (trace: TraceContext): string =>
  `00-${trace.traceId}-${trace.spanId}-0${trace.flags & KNOWN_FLAGS}`;

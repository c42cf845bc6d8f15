import { randomFillSync } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace-base';

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
const WORD_DIGITS = 8;
const WORD_BYTES = 4;
/** Random bytes taken from the system at once. */
const POOL_BYTES = 8192;
/** Turned into digits at once: the ids of two roots. An id that is kept (by an exemplar) keeps the text of all of them. */
const TEXT_BYTES = 48;

/** Ids of the W3C form, random in every bit. (That all of them are 0, which is no id, will not happen: 2^-64.) */
export interface TraceIds {
  traceId(): string;
  spanId(): string;
  /** What the four words of a trace id come to by exclusive or, at random: it can be had before the id itself is made. */
  fold(): number;
  /** A trace id whose words come to `fold`; everything else in it is random. */
  traceIdOf(fold: number): string;
  readonly generator: IdGenerator;
  /** The SDK's next trace id is this one: it has been decided that it is sampled. */
  reserve(traceId: string): void;
}

export const traceIds = (): TraceIds => {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let taken = POOL_BYTES;
  let digits = '';
  let at = 0;
  let reserved: string | undefined;

  /** Where the next `size` bytes of the pool are. */
  const bytes = (size: number): number => {
    if (taken + size > POOL_BYTES) {
      randomFillSync(pool);
      taken = 0;
    }
    taken += size;
    return taken - size;
  };
  const take = (length: number): string => {
    if (at + length > digits.length) {
      const from = bytes(TEXT_BYTES);
      digits = pool.toString('hex', from, from + TEXT_BYTES);
      at = 0;
    }
    at += length;
    return digits.slice(at - length, at);
  };

  return {
    traceId: () => take(TRACE_ID_DIGITS),
    spanId: () => take(SPAN_ID_DIGITS),
    fold: () => pool.readInt32LE(bytes(WORD_BYTES)),
    traceIdOf(fold) {
      const words = take(TRACE_ID_DIGITS - WORD_DIGITS);
      let last = fold;
      for (let i = 0; i < words.length; i += WORD_DIGITS) last ^= Number.parseInt(words.slice(i, i + WORD_DIGITS), 16);
      return words + (last >>> 0).toString(16).padStart(WORD_DIGITS, '0');
    },
    generator: {
      generateSpanId: () => take(SPAN_ID_DIGITS),
      generateTraceId() {
        const id = reserved ?? take(TRACE_ID_DIGITS);
        reserved = undefined;
        return id;
      },
    },
    reserve(traceId) {
      reserved = traceId;
    },
  };
};

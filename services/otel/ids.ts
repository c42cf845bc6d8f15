import { randomFillSync } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace-base';
import type { IdWords } from './span-position.ts';

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
  /** Of the span id, or the trace id, that the SDK has been given last; undefined when `id` is another one. */
  spanWords(id: string): IdWords | undefined;
  traceWords(id: string): IdWords | undefined;
}

export const traceIds = (): TraceIds => {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let taken = POOL_BYTES;
  let digits = '';
  let at = 0;
  /** What `digits` stands for. */
  const words = new Int32Array(TEXT_BYTES / WORD_BYTES);
  let reserved: string | undefined;
  let spanId: string | undefined;
  let traceId: string | undefined;
  let spanWords: IdWords = [];
  let traceWords: IdWords = [];

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
      for (let i = 0; i < words.length; i += 1) words[i] = pool.readInt32BE(from + i * WORD_BYTES);
      at = 0;
    }
    at += length;
    return digits.slice(at - length, at);
  };
  /** The word that ends `back` words before the end of what was taken last. */
  const word = (back: number): number => words[at / WORD_DIGITS - back] as number;

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
      generateSpanId() {
        spanId = take(SPAN_ID_DIGITS);
        spanWords = [word(2), word(1)];
        return spanId;
      },
      generateTraceId() {
        if (reserved === undefined) {
          traceId = take(TRACE_ID_DIGITS);
          traceWords = [word(4), word(3), word(2), word(1)];
          return traceId;
        }
        const id = reserved;
        reserved = undefined;
        return id;
      },
    },
    reserve(id) {
      reserved = id;
    },
    spanWords: (id) => (id === spanId ? spanWords : undefined),
    traceWords: (id) => (id === traceId ? traceWords : undefined),
  };
};

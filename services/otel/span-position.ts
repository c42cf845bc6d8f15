import type { SpanIds, TraceContext } from '../../runtime/trace.ts';
import { hexValue } from './otlp/protobuf-writer.ts';

/** The trace id was made at random (W3C Trace Context Level 2, "Random Trace ID Flag"). */
export const RANDOM_FLAG = 0b10;

/** A position that was made here. */
export abstract class OwnPosition implements TraceContext {
  abstract readonly traceId: string;
  abstract readonly spanId: string;
  abstract readonly flags: number;
  abstract readonly state: string | undefined;
  abstract readonly isRemote: boolean;
  /**
   * As whoever takes it over within this program would read it from `traceparent`. Undefined where it could be read in another
   * way than it was written: its ids came from elsewhere, unchecked.
   */
  abstract remote(): TraceContext | undefined;
}

/** What the digits of an id stand for: signed words of 32 bits, that of the first digits first. */
export type IdWords = readonly number[];

/** The words of an id that came as text. */
export const wordsOf = (digits: string): IdWords => {
  const words: number[] = [];
  let word = 0;
  for (let i = 0; i < digits.length; i += 1) {
    word = (word << 4) | hexValue(digits.charCodeAt(i));
    if ((i & 7) === 7) words.push(word);
  }
  return words;
};

/**
 * Of a span that the SDK has made, and of one that was handed over. It remembers what its ids stand for: an exporter need
 * not read digits that were written a moment ago.
 */
export class SpanPosition extends OwnPosition {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly state: string | undefined;
  readonly isRemote: boolean;
  readonly #traceWords: IdWords;
  readonly #spanWords: IdWords;

  constructor(
    { traceId, spanId }: SpanIds,
    { traceWords, spanWords }: Pick<SpanPosition, 'traceWords' | 'spanWords'>,
    flags: number,
    state: string | undefined,
    isRemote: boolean,
  ) {
    super();
    this.traceId = traceId;
    this.spanId = spanId;
    this.flags = flags;
    this.state = state;
    this.isRemote = isRemote;
    this.#traceWords = traceWords;
    this.#spanWords = spanWords;
  }

  get traceWords(): IdWords {
    return this.#traceWords;
  }

  get spanWords(): IdWords {
    return this.#spanWords;
  }

  remote(): TraceContext {
    return new SpanPosition(this, this, this.flags, this.state, true);
  }
}

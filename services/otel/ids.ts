import { randomFillSync } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace-base';

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
/** Random bytes taken from the system at once. An id that is kept keeps the text of all of them, so not too many. */
const POOL_BYTES = 512;

/** Ids of the W3C form, random in every bit. (That all of them are 0, which is no id, will not happen: 2^-64.) */
export interface TraceIds {
  /** Cut out of a longer text: cheap, and for what lives no longer than a call. */
  traceId(): string;
  spanId(): string;
  /** The SDK's ids, each a text of its own: exemplars may keep them for the life of the program. */
  readonly generator: IdGenerator;
  /** The SDK's next trace id is this one: it has been decided that it is sampled. */
  reserve(traceId: string): void;
}

export const traceIds = (): TraceIds => {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let digits = '';
  let at = 0;
  let reserved: string | undefined;

  const take = (length: number): string => {
    if (at + length > digits.length) {
      digits = randomFillSync(pool).toString('hex');
      at = 0;
    }
    at += length;
    return digits.slice(at - length, at);
  };
  const copy = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

  return {
    traceId: () => take(TRACE_ID_DIGITS),
    spanId: () => take(SPAN_ID_DIGITS),
    generator: {
      generateSpanId: () => copy(take(SPAN_ID_DIGITS)),
      generateTraceId() {
        const id = reserved ?? take(TRACE_ID_DIGITS);
        reserved = undefined;
        return copy(id);
      },
    },
    reserve(traceId) {
      reserved = traceId;
    },
  };
};

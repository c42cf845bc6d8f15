import type { DeadLetterOrigin, Headers } from './driver.ts';
import type { HeaderValue } from './port.ts';

/** Set by the platform alone (extensions.md, section 3); what a publisher gives under these names is left out. */
const RESERVED: ReadonlySet<string> = new Set([
  'x_attempt',
  'x_dead_letter_queue',
  'x_dead_letter_reason',
  'x_dead_letter_kind',
  'x_dead_letter_attempts',
]);
const MAX_REASON_BYTES = 1024;

/** The headers of a new message: the publisher's verbatim, and `timestamp` in Unix seconds. */
export const outgoingHeaders = (
  given: Readonly<Record<string, HeaderValue | undefined>>,
  publishedAt: number,
): Headers => {
  const timestamp = Math.floor(publishedAt / 1000);
  const own = Object.entries(given);
  if (own.length === 0) return { timestamp };
  const headers: [string, HeaderValue][] = [];
  for (const [name, value] of own) {
    if (value !== undefined && !RESERVED.has(name)) headers.push([name, value]);
  }
  headers.push(['timestamp', timestamp]);
  return Object.fromEntries(headers);
};

/** What a handler sees: a redelivery carries its attempt. */
export const deliveredHeaders = (headers: Headers, attempt: number): Headers =>
  attempt > 1 ? { ...headers, x_attempt: attempt } : headers;

/** The headers of a dead letter: where it came from, and what ended its last attempt. */
export const deadLetterHeaders = (headers: Headers, why: DeadLetterOrigin): Headers => ({
  ...headers,
  x_dead_letter_queue: why.queue,
  x_dead_letter_reason: firstBytes(why.reason),
  x_dead_letter_kind: why.kind,
  x_dead_letter_attempts: why.attempts,
});

/** The headers of a dead letter that goes back to where it came from. */
export const withoutDeath = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !RESERVED.has(name)));

/** At most 1 KiB, cut between characters. */
const firstBytes = (text: string): string => {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MAX_REASON_BYTES));
  return text.slice(0, read);
};

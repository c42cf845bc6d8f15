import { encodeJson } from '../../../runtime/codec/json.ts';
import { textOf } from '../../../runtime/lua/values.ts';
import type { Headers, OutgoingMessage } from '../driver.ts';
import type { HeaderValue } from '../port.ts';

/**
 * Fields of a stream entry (extensions.md, section 3), and three of our own: the trace context, `attempt` of a message
 * that was put back, and nothing else. Names and values alternate, as Redis takes and gives them.
 */
export type Fields = readonly string[];

/** A message as it lies in the stream. */
export interface StoredMessage extends OutgoingMessage {
  /** Of its next delivery. */
  readonly attempt: number;
  /** Why nobody can read it; its body is then all that it holds. */
  readonly fault?: string;
}

const CODEC = 'json/plain';
/** Milliseconds since the epoch beyond which there are no dates (ECMAScript, "Time Values"). */
const LATEST_DATE = 8.64e15;
/** W3C Trace Context and Baggage: beside the headers, so that handlers do not see them. */
const TRANSPORT = ['traceparent', 'tracestate', 'baggage'] as const;

export const fieldsOf = (message: OutgoingMessage, attempt: number): Fields => {
  const { id, body, headers, transport, publishedAt } = message;
  const fields = ['id', id, 'body', textOf(body), 'codec', CODEC];
  fields.push('headers', JSON.stringify(headers), 'published_at', String(Math.floor(publishedAt)));
  if (attempt > 1) fields.push('attempt', String(attempt));
  for (const [name, value] of Object.entries(transport)) fields.push(name, value);
  return fields;
};

/** Everything but `body` may be missing: other programs write entries too. Never throws. */
export const messageOf = (entryId: string, fields: Fields): StoredMessage => {
  const given = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) given.set(fields[i] as string, fields[i + 1] as string);
  const arrived = Number(entryId.split('-')[0]);
  const claimed = positive(given.get('published_at'));
  const publishedAt = claimed !== undefined && claimed <= LATEST_DATE ? claimed : arrived;
  const headers = headersOf(given.get('headers'));
  const codec = given.get('codec') ?? CODEC;
  const body = given.get('body');
  const message = {
    id: given.get('id') || entryId,
    body: body ?? encodeJson(Object.fromEntries(given)),
    headers: { timestamp: Math.floor(publishedAt / 1000), ...headers },
    transport: Object.fromEntries(
      TRANSPORT.flatMap((name) => (given.has(name) ? [[name, given.get(name) ?? '']] : [])),
    ),
    publishedAt,
    attempt: Math.floor(positive(given.get('attempt')) ?? 1),
  };
  if (body === undefined) return { ...message, fault: 'the entry has no field `body`' };
  if (headers === undefined) return { ...message, fault: 'field `headers` is not one JSON object' };
  if (codec !== CODEC)
    return { ...message, fault: `field \`codec\` is ${JSON.stringify(codec.slice(0, 100))}: expected ${CODEC}` };
  return message;
};

const positive = (text: string | undefined): number | undefined => {
  const n = Number(text);
  return text !== undefined && text !== '' && Number.isFinite(n) && n > 0 ? n : undefined;
};

/** Values of other types than a header can have are left out, as `queue.publish` does; undefined for no JSON object. */
const headersOf = (text: string | undefined): Headers | undefined => {
  if (text === undefined || text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // told as the fault of the entry
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const isHeader = (entry: [string, unknown]): entry is [string, HeaderValue] =>
    ['string', 'number', 'boolean'].includes(typeof entry[1]);
  return Object.fromEntries(Object.entries(parsed).filter(isHeader));
};

import type { CollectedSpan } from '../harness/otlp-decode.ts';
import type { Evidence } from './judge.ts';
import { batchOf } from './load.ts';

/**
 * Joined means, of what has been handled and of the spans that have arrived:
 *
 * 1. A message's handler worked in the trace of the request that published it. The ledger has that from the handler's own
 *    request, so that it holds for all of them, whatever happened to spans.
 * 2. Its consumer span is a child of the producer span of the same message.
 * 3. A change's handler span is linked to the trace of a request that committed its row.
 * 4. A span that 2 or 3 need and that has not arrived was made by a process that was killed before it could send it: at most
 *    `unsentMs` before its SIGKILL.
 */
export interface Joined {
  readonly messages: number;
  readonly changes: number;
  /** Spans that were lost with their process. */
  readonly unsent: number;
  /** Everything that is not joined. */
  readonly broken: readonly string[];
}

const WORK = ['chaos:work', 'chaos:bury'];
const CHANGE = 'chaos:change';
const PUBLISH = 'chaos:jobs.publish';

export const joinedTraces = (evidence: Evidence, spans: readonly CollectedSpan[], unsentMs: number): Joined => {
  const { publishes, commits, entries, lives } = evidence;
  const broken: string[] = [];
  let messages = 0;
  let changes = 0;
  let unsent = 0;
  /** Of a span that was made then, by the life that is given or by whichever lived. */
  const missing = (what: string, at: number, life?: number): void => {
    const isUnsent = lives.some(
      ({ startedAt, killedAt }, i) =>
        killedAt !== undefined &&
        at >= killedAt - unsentMs &&
        (life === undefined ? startedAt <= at && at <= killedAt : i === life),
    );
    if (isUnsent) unsent += 1;
    else broken.push(what);
  };

  const publishOf = new Map(publishes.map((attempt) => [attempt.key, attempt]));
  const commitTraces = new Map<number, Set<string>>();
  for (const { n, traceId } of commits) {
    commitTraces.set(n, (commitTraces.get(n) ?? new Set()).add(traceId));
  }
  const producers = new Map<unknown, CollectedSpan>();
  const consumers = new Map<string, CollectedSpan[]>();
  const changeSpans = new Map<string, CollectedSpan>();
  for (const span of spans) {
    if (span.kind === 'producer' && span.name === PUBLISH) producers.set(span.attributes['messaging.message.id'], span);
    else if (span.kind === 'consumer' && WORK.includes(span.name)) {
      const id = String(span.attributes['messaging.message.id']);
      consumers.set(id, [...(consumers.get(id) ?? []), span]);
    } else if (span.kind === 'consumer' && span.name === CHANGE) changeSpans.set(span.traceId, span);
  }

  for (const { what, n, key, messageId, traceId, life, at } of entries) {
    if (what === 'change') {
      const span = changeSpans.get(traceId);
      if (span === undefined) missing(`the handler span of row ${n} has not arrived`, at, life);
      else if (span.links.some((link) => commitTraces.get(batchOf(n))?.has(link.traceId))) changes += 1;
      else broken.push(`the handler span of row ${n} is not linked to its commit`);
      continue;
    }
    const publish = publishOf.get(key);
    if (publish?.traceId !== traceId) {
      broken.push(`message ${key} was handled in another trace than the one that published it`);
      continue;
    }
    const producer = producers.get(messageId);
    // A delivery that was not acknowledged has a span too, in the same trace and below the same producer.
    const found = consumers.get(messageId) ?? [];
    if (producer === undefined) missing(`the producer span of message ${key} has not arrived`, publish.startedAt);
    if (found.length === 0) missing(`the consumer span of message ${key} has not arrived`, at, life);
    const isChild = (span: CollectedSpan): boolean =>
      span.traceId === traceId && (producer === undefined || span.parentSpanId === producer.spanId);
    if (!found.every(isChild)) broken.push(`a consumer span of message ${key} is no child of its producer`);
    else if (producer !== undefined && found.length > 0) messages += 1;
  }
  return { messages, changes, unsent, broken };
};

import type { Env } from '../../runtime/env.ts';
import type { BodyCodec } from './codec.ts';
import type { Delivery, DriverQueue, OutgoingMessage } from './driver.ts';
import { deadLetterHeaders } from './headers.ts';
import { queueCapacity, queueDepth, queueOldestAge } from './instruments.ts';
import type { QueueConfig } from './kinds.ts';

/** A queue of the app: its driver's queue and what its declaration says. */
export interface DeclaredQueue {
  readonly id: string;
  readonly config: QueueConfig;
  /** `messaging.system`. */
  readonly system: string;
  readonly driverId: string;
  readonly queue: DriverQueue;
  readonly codec: BodyCodec;
}

/** Gauges that are read at collection; they exist from the declaration on. */
export const observeQueue = ({ collector }: Env, { id, queue }: DeclaredQueue): void => {
  collector.observe('gauge', queueDepth, { queue: id }, () => queue.depth());
  collector.observe('gauge', queueCapacity, { queue: id }, () => queue.capacity());
  collector.observe('gauge', queueOldestAge, { queue: id }, () => queue.oldestAgeSeconds());
};

/** Why a message is moved. `kind` is the error's. */
export interface DeathCause {
  readonly reason: string;
  readonly kind: string;
}

/** The body as the other queue has its bodies; one that cannot be read stays as it is, for people to look at. */
const rewritten = (from: DeclaredQueue, to: DeclaredQueue, body: OutgoingMessage['body']): OutgoingMessage['body'] => {
  if (from.codec === to.codec) return body;
  try {
    return to.codec.encode(from.codec.decode(body));
  } catch {
    return body; // the reason why it is a dead letter, told in its headers
  }
};

/**
 * Stores the message in the dead letter queue, with its id and trace context, then takes it off its own queue.
 * @throws CallError when the dead letter queue has no space; the message is unsettled then.
 */
export const moveToDeadLetter = async (
  from: DeclaredQueue,
  to: DeclaredQueue,
  delivery: Delivery,
  cause: DeathCause,
): Promise<void> => {
  const { id, transport, position, publishedAt, attempt } = delivery;
  const body = rewritten(from, to, delivery.body);
  const headers = deadLetterHeaders(delivery.headers, { queue: from.id, attempts: attempt, ...cause });
  const letter = { id, body, headers, transport, position, publishedAt };
  const moved = delivery.moveTo?.(to.queue, letter);
  if (moved !== undefined) return moved;
  await to.queue.store(letter);
  await delivery.ack();
};

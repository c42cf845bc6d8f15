import type { Cancel, Clock } from '../../runtime/clock.ts';
import { internal } from '../../runtime/errors.ts';
import { Fifo } from '../../runtime/fifo.ts';
import type { Delivery, DriverQueue, Intake, IntakeOptions, OutgoingMessage } from './driver.ts';
import { idempotencyKeys } from './idempotency.ts';

export interface MemoryQueueOptions {
  readonly maxLength: number;
  readonly idempotencyWindowMs: number;
  readonly isRunning: () => boolean;
}

interface Stored {
  readonly message: OutgoingMessage;
  /** Of its next delivery. */
  readonly attempt: number;
}
interface WaitingPublish {
  readonly enter: () => void;
}
/** Somebody who waits for a message; undefined tells that the intake is closed. */
type Taker = (delivery: Delivery | undefined) => void;

/** The two ways back into the queue. */
interface Returns {
  nack(stored: Stored, delayMs: number): void;
  giveBack(stored: Stored, delayMs: number): void;
}

/** One object per delivery, without functions of its own. */
class MemoryDelivery implements Delivery {
  readonly id: string;
  readonly body: OutgoingMessage['body'];
  readonly headers: OutgoingMessage['headers'];
  readonly publishedAt: number;
  readonly attempt: number;
  readonly #message: OutgoingMessage;
  readonly #returns: Returns;

  constructor(message: OutgoingMessage, attempt: number, returns: Returns) {
    this.id = message.id;
    this.body = message.body;
    this.headers = message.headers;
    this.publishedAt = message.publishedAt;
    this.attempt = attempt;
    this.#message = message;
    this.#returns = returns;
  }

  /** Not a field: the text may still have to be made. */
  get transport(): OutgoingMessage['transport'] {
    return this.#message.transport;
  }

  get position(): OutgoingMessage['position'] {
    return this.#message.position;
  }

  ack(): void {}

  nack(delayMs: number): void {
    this.#returns.nack(this.#again(), delayMs);
  }

  giveBack(delayMs: number): void {
    this.#returns.giveBack(this.#again(), delayMs);
  }

  #again(): Stored {
    return { message: this.#message, attempt: this.attempt + 1 };
  }
}

const queueIsFull = () => internal('queue is full');

/** FIFO of messages, of publishers that wait for space and of consumers that wait for messages (lua/queue.md). */
export const memoryQueue = (
  clock: Clock,
  { maxLength, idempotencyWindowMs, isRunning }: MemoryQueueOptions,
): { queue: DriverQueue; cancelTimers: () => void } => {
  const ready = new Fifo<Stored>();
  const publishers = new Set<WaitingPublish>();
  const takers = new Set<Taker>();
  const delayed = new Map<Stored, Cancel>();
  const keys = idempotencyKeys(clock, idempotencyWindowMs);
  /** Messages in `ready` that were delivered before: only these can be older than the head. */
  let redelivered = 0;

  const depth = (): number => ready.size + delayed.size;
  const isFull = (): boolean => depth() >= maxLength;

  const makeReady = (stored: Stored): void => {
    for (const taker of takers) {
      takers.delete(taker);
      taker(deliveryOf(stored));
      return admit();
    }
    ready.push(stored);
    if (stored.attempt > 1) redelivered += 1;
  };
  const enqueue = (stored: Stored, delayMs: number): void => {
    if (!(delayMs > 0)) return makeReady(stored);
    const due = (): void => {
      delayed.delete(stored);
      makeReady(stored);
    };
    delayed.set(stored, clock.after(delayMs, due, { unref: true }));
  };
  /** Space is free: publishers enter in the order in which they came. */
  const admit = (): void => {
    for (const publisher of publishers) {
      if (isFull()) return;
      publishers.delete(publisher);
      publisher.enter();
    }
  };
  const take = (): Delivery | undefined => {
    const stored = ready.shift();
    if (stored === undefined) return undefined;
    if (stored.attempt > 1) redelivered -= 1;
    admit();
    return deliveryOf(stored);
  };
  const returns: Returns = {
    nack(stored, delayMs) {
      if (isFull()) throw queueIsFull();
      enqueue(stored, delayMs);
    },
    giveBack: enqueue,
  };
  const deliveryOf = ({ message, attempt }: Stored): Delivery => new MemoryDelivery(message, attempt, returns);
  const waitForSpace = (stored: Stored, delayMs: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const publisher: WaitingPublish = {
        enter() {
          signal.removeEventListener('abort', onAbort);
          enqueue(stored, delayMs);
          resolve();
        },
      };
      const onAbort = (): void => {
        publishers.delete(publisher);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      publishers.add(publisher);
    });

  /** Nothing is taken ahead: in one program that gains nothing, and would hide messages from other consumers. */
  const consume = (_options: IntakeOptions): Intake => {
    const own = new Set<Taker>();
    let closed = false;
    return {
      next() {
        if (closed) return undefined;
        const delivery = take();
        if (delivery !== undefined) return delivery;
        return new Promise((resolve) => {
          const taker: Taker = (arrived) => {
            own.delete(taker);
            resolve(arrived);
          };
          own.add(taker);
          takers.add(taker);
        });
      },
      close() {
        closed = true;
        for (const taker of own) {
          takers.delete(taker);
          taker(undefined);
        }
      },
    };
  };

  const queue: DriverQueue = {
    publish(message, { delayMs = 0, idempotencyKey }, signal) {
      if (!isRunning()) throw internal('queue driver is not running');
      if (signal.aborted) throw signal.reason;
      if (idempotencyKey !== undefined && !keys.claim(idempotencyKey)) return;
      const stored = { message, attempt: 1 };
      if (!isFull()) return enqueue(stored, delayMs);
      return waitForSpace(stored, delayMs, signal).catch((error) => {
        // It was not stored: the same key may try again.
        if (idempotencyKey !== undefined) keys.release(idempotencyKey);
        throw error;
      });
    },
    store(message) {
      if (isFull()) throw queueIsFull();
      enqueue({ message, attempt: 1 }, 0);
    },
    consume,
    depth,
    capacity: () => maxLength,
    oldestAgeSeconds() {
      let oldest = ready.first?.message.publishedAt ?? Number.POSITIVE_INFINITY;
      if (redelivered > 0) {
        for (const { message } of ready) oldest = Math.min(oldest, message.publishedAt);
      }
      for (const { message } of delayed.keys()) oldest = Math.min(oldest, message.publishedAt);
      return oldest === Number.POSITIVE_INFINITY ? 0 : Math.max(0, clock.wall() - oldest) / 1000;
    },
    info: () => ({ message_count: depth(), ready: ready.size, consumer_waiting: takers.size }),
  };
  return {
    queue,
    cancelTimers() {
      for (const cancel of delayed.values()) cancel();
      delayed.clear();
    },
  };
};

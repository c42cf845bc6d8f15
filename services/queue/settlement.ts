import { contextKey } from '../../runtime/context.ts';
import { invalid } from '../../runtime/errors.ts';
import { retryDelayMs } from '../../runtime/retry-delay.ts';
import { type DeathCause, type DeclaredQueue, moveToDeadLetter } from './declared-queue.ts';
import type { Delivery, Headers } from './driver.ts';
import { deliveredHeaders } from './headers.ts';
import type { Settlement } from './instruments.ts';

/** A delivery while its handler runs: settled once, by the handler or after it. */
export interface OpenDelivery {
  readonly delivery: Delivery;
  readonly headers: Headers;
  /** Undefined until it is settled. */
  readonly settled: Settlement | undefined;
  /** The handler has ended: every method of its messages fails. */
  readonly isReleased: boolean;
  /** @throws CallError Invalid when it is settled already, Internal when the driver fails; it is unsettled then. */
  ack(): Promise<void>;
  /** The same; moves it to the dead letter queue after the last attempt. `delayMs` overrides the queue's `retry`. */
  nack(cause: DeathCause, delayMs?: number): Promise<void>;
  release(): void;
}

/** The delivery that a handler and the functions it calls work on. */
export const DELIVERY = contextKey<OpenDelivery | undefined>('delivery', undefined);

export const openDelivery = (
  queue: DeclaredQueue,
  deadLetter: DeclaredQueue | undefined,
  delivery: Delivery,
  autoAck: boolean,
): OpenDelivery => {
  let settled: Settlement | undefined = autoAck ? 'ack' : undefined;
  let isReleased = false;
  const settle = async (as: Settlement, how: () => void | Promise<void>): Promise<void> => {
    if (settled !== undefined) throw invalid('queue.Message already settled');
    settled = as;
    try {
      await how();
    } catch (error) {
      settled = undefined;
      throw error;
    }
  };
  const { retry, dead_letter: rule } = queue.config;
  return {
    delivery,
    headers: deliveredHeaders(delivery.headers, delivery.attempt),
    get settled() {
      return settled;
    },
    get isReleased() {
      return isReleased;
    },
    ack: () => settle('ack', () => delivery.ack()),
    nack(cause, delayMs) {
      if (deadLetter !== undefined && rule !== undefined && delivery.attempt >= rule.max_attempts) {
        return settle('dead', () => moveToDeadLetter(queue, deadLetter, delivery, cause));
      }
      const delay = delayMs ?? retryDelayMs(retry, delivery.attempt + 1, Math.random);
      return settle('nack', () => delivery.nack(delay));
    },
    release() {
      isReleased = true;
    },
  };
};

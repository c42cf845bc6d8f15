import { isPromise } from '../../runtime/call.ts';
import { contextKey } from '../../runtime/context.ts';
import { invalid } from '../../runtime/errors.ts';
import { retryDelayMs } from '../../runtime/retry-delay.ts';
import { type DeathCause, type DeclaredQueue, moveToDeadLetter } from './declared-queue.ts';
import type { Delivery, Headers } from './driver.ts';
import { deliveredHeaders } from './headers.ts';
import type { Settlement } from './instruments.ts';

/** A delivery while its handler runs: settled once, by the handler or after it. Settling waits only where its driver does. */
export class OpenDelivery {
  readonly delivery: Delivery;
  readonly headers: Headers;
  readonly #queue: DeclaredQueue;
  readonly #deadLetter: DeclaredQueue | undefined;
  #settled: Settlement | undefined;
  #isReleased = false;

  constructor(queue: DeclaredQueue, deadLetter: DeclaredQueue | undefined, delivery: Delivery, autoAck: boolean) {
    this.delivery = delivery;
    this.headers = deliveredHeaders(delivery.headers, delivery.attempt);
    this.#queue = queue;
    this.#deadLetter = deadLetter;
    this.#settled = autoAck ? 'ack' : undefined;
  }

  /** Undefined until it is settled. */
  get settled(): Settlement | undefined {
    return this.#settled;
  }

  /** The handler has ended: every method of its messages fails. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  release(): void {
    this.#isReleased = true;
  }

  /** @throws CallError Invalid when it is settled already, Internal when the driver fails; it is unsettled then. */
  ack(): void | Promise<void> {
    return this.#settle('ack', () => this.delivery.ack());
  }

  /** The same; moves it to the dead letter queue after the last attempt. `delayMs` overrides the queue's `retry`. */
  nack(cause: DeathCause, delayMs?: number): void | Promise<void> {
    const { retry, dead_letter: rule } = this.#queue.config;
    const { delivery } = this;
    const deadLetter = this.#deadLetter;
    if (deadLetter !== undefined && rule !== undefined && delivery.attempt >= rule.max_attempts) {
      return this.#settle('dead', () => moveToDeadLetter(this.#queue, deadLetter, delivery, cause));
    }
    const delay = delayMs ?? retryDelayMs(retry, delivery.attempt + 1, Math.random);
    return this.#settle('nack', () => delivery.nack(delay));
  }

  #settle(as: Settlement, how: () => void | Promise<void>): void | Promise<void> {
    if (this.#settled !== undefined) throw invalid('queue.Message already settled');
    this.#settled = as;
    const unsettle = (error: unknown): never => {
      this.#settled = undefined;
      throw error;
    };
    let out: void | Promise<void>;
    try {
      out = how();
    } catch (error) {
      return unsettle(error);
    }
    return isPromise(out) ? out.catch(unsettle) : undefined;
  }
}

/** The delivery that a handler and the functions it calls work on. */
export const DELIVERY = contextKey<OpenDelivery | undefined>('delivery', undefined);

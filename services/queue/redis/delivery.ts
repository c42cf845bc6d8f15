import { internal } from '../../../runtime/errors.ts';
import type { Delivery, DriverQueue, OutgoingMessage } from '../driver.ts';
import type { StoredMessage } from './entry.ts';

/** What a consumer does with the entries it holds. Everything but `drop` asks Redis. */
export interface Holder {
  ack(entryId: string): Promise<void>;
  /** Back into the queue, as its next `attempt`. Nothing happens where another consumer has taken it over. */
  putBack(entryId: string, message: StoredMessage, delayMs: number): Promise<void>;
  /** Undefined: not a queue of this driver. */
  move(entryId: string, to: DriverQueue, message: OutgoingMessage): Promise<'ok' | 'full' | 'lost'> | undefined;
  /** No longer renewed: whoever asks after the visibility timeout gets it. */
  drop(entryId: string): void;
}

/** One object per delivery, without functions of its own. */
export class RedisDelivery implements Delivery {
  readonly id: string;
  readonly body: OutgoingMessage['body'];
  readonly headers: OutgoingMessage['headers'];
  readonly transport: OutgoingMessage['transport'];
  readonly publishedAt: number;
  readonly attempt: number;
  readonly fault: string | undefined;
  readonly entryId: string;
  readonly #message: StoredMessage;
  readonly #holder: Holder;
  #isAcked = false;

  constructor(entryId: string, message: StoredMessage, holder: Holder) {
    this.id = message.id;
    this.body = message.body;
    this.headers = message.headers;
    this.transport = message.transport;
    this.publishedAt = message.publishedAt;
    this.attempt = message.attempt;
    this.fault = message.fault;
    this.entryId = entryId;
    this.#message = message;
    this.#holder = holder;
  }

  async ack(): Promise<void> {
    if (this.#isAcked) return; // `auto_ack`: it was when it was handed out
    await this.#holder.ack(this.entryId);
    this.#isAcked = true;
  }

  /** A queue on Redis is never too full for a message that is in it already. */
  nack(delayMs: number): Promise<void> {
    return this.#holder.putBack(this.entryId, { ...this.#message, attempt: this.attempt + 1 }, delayMs);
  }

  async giveBack(delayMs: number): Promise<void> {
    try {
      await this.nack(delayMs);
    } catch {
      // Redis is not there. The entry is still this consumer's: not renewed, it is taken over after the visibility timeout.
      this.#holder.drop(this.entryId);
    }
  }

  /** To what it was before it was taken ahead; nobody has seen it. */
  async untake(): Promise<void> {
    try {
      await this.#holder.putBack(this.entryId, this.#message, 0);
    } catch {
      this.#holder.drop(this.entryId); // as in `giveBack`
    }
  }

  /** In one step with taking it off its own queue. @throws CallError Internal `queue is full` */
  moveTo(to: DriverQueue, message: OutgoingMessage): Promise<void> | undefined {
    const moved = this.#isAcked ? undefined : this.#holder.move(this.entryId, to, message);
    return moved?.then((outcome) => {
      if (outcome === 'full') throw internal('queue is full');
    });
  }
}

import type { DriverQueue } from '../driver.ts';
import type { Holder } from './delivery.ts';
import type { QueuePlace } from './place.ts';

/**
 * What waits in one queue, as gauges show it: what Redis said when it was asked last, and what this program has done since.
 * What other programs have done since is missing until the next look.
 */
export class Backlog {
  /** Below 0 between a read and the look or the publish that knows of what was read. */
  #ready = 0;
  #delayed = 0;
  #oldestAt = Number.POSITIVE_INFINITY;

  get waiting(): number {
    return Math.max(0, this.#ready + this.#delayed);
  }
  get delayed(): number {
    return Math.max(0, this.#delayed);
  }
  /** clock.wall() of the publish of the oldest that waits; Infinity when none does. */
  get oldestAt(): number {
    return this.waiting > 0 ? this.#oldestAt : Number.POSITIVE_INFINITY;
  }

  looked(ready: number, delayed: number, oldestAt: number): void {
    this.#ready = ready;
    this.#delayed = delayed;
    this.#oldestAt = oldestAt;
  }
  /** A message was stored by this program, or put back. */
  added(delayMs: number, publishedAt: number): void {
    if (this.waiting === 0) this.#oldestAt = Number.POSITIVE_INFINITY;
    if (delayMs > 0) this.#delayed += 1;
    else this.#ready += 1;
    this.#oldestAt = Math.min(this.#oldestAt, publishedAt);
  }
  /** Messages of the stream are delivered to this program. */
  taken(count: number): void {
    this.#ready -= count;
  }
}

/** Tells the backlogs what a consumer does with the entries it holds. */
export const countingHolder = (held: Holder, { backlog }: QueuePlace, placeOf: PlaceOf): Holder => ({
  ack: held.ack,
  drop: held.drop,
  async putBack(entryId, message, delayMs) {
    await held.putBack(entryId, message, delayMs);
    backlog.added(delayMs, message.publishedAt);
  },
  move(entryId, to, message) {
    const moved = held.move(entryId, to, message);
    return moved?.then((outcome) => {
      if (outcome === 'ok') placeOf(to)?.backlog.added(0, message.publishedAt);
      return outcome;
    });
  },
});
type PlaceOf = (queue: DriverQueue) => QueuePlace | undefined;

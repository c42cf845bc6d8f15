import type { Exchange } from './exchange.ts';

/**
 * The exchanges that are not over, in no order. Each knows its place, because a Set that grows and shrinks with every request
 * makes its table again and again.
 */
export class RunningExchanges {
  readonly #all: Exchange[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(exchange: Exchange): void {
    exchange.place = this.#all.length;
    this.#all.push(exchange);
  }

  /** The last one takes its place. Without effect for one that has left. */
  delete(exchange: Exchange): void {
    const { place } = exchange;
    if (place < 0) return;
    exchange.place = -1;
    const last = this.#all.pop();
    if (last === undefined || last === exchange) return;
    this.#all[place] = last;
    last.place = place;
  }

  /** Those of now: what is done with one may end others. */
  list(): readonly Exchange[] {
    return [...this.#all];
  }
}

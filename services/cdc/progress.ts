import { Fifo } from '../../runtime/fifo.ts';

interface Transaction {
  readonly commitTime: number;
  /** Deliveries that are not handled yet. */
  pending: number;
  hasChanges: boolean;
  /** Known once all of it has come. */
  end: bigint | undefined;
}

/** What is confirmed: everything up to `position` has been handled. */
export interface Confirmed {
  readonly position: bigint;
  /** The same, but only as far as there were changes, 0 before the first: an idle source's own bookkeeping must not move it. */
  readonly worthKeeping: bigint;
}

/**
 * How far the handling of a stream of transactions has come. Transactions end in any order; the confirmed position is the
 * end of the last one before the first that is not done.
 */
export class Progress {
  readonly #open = new Fifo<Transaction>();
  #current: Transaction | undefined;
  #position: bigint;
  #worthKeeping = 0n;
  #dispatched: bigint;
  readonly #onAdvance: () => void;

  constructor(start: bigint, onAdvance: () => void) {
    this.#position = start;
    this.#dispatched = start;
    this.#onAdvance = onAdvance;
  }

  get confirmed(): Confirmed {
    return { position: this.#position, worthKeeping: this.#worthKeeping };
  }

  /** The end of the last transaction that has been handed on completely: where a new connection goes on. */
  get dispatched(): bigint {
    return this.#dispatched;
  }

  /** Commit time of the oldest transaction that is not done. */
  get oldestOpen(): number | undefined {
    return this.#open.first?.commitTime;
  }

  begin(commitTime: number): void {
    this.#current = { commitTime, pending: 0, hasChanges: false, end: undefined };
    this.#open.push(this.#current);
  }

  /** The connection broke within a transaction, which will come again: what is handed on of it keeps counting. */
  get isWithinTransaction(): boolean {
    return this.#current !== undefined;
  }

  /** One delivery of a change of the current transaction; the function it returns tells that it is handled. */
  delivery(): () => void {
    const transaction = this.#current;
    if (transaction === undefined) throw new Error('a change outside of a transaction');
    transaction.pending += 1;
    transaction.hasChanges = true;
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      transaction.pending -= 1;
      this.#advance();
    };
  }

  /** A change of the current transaction that nobody has to handle. */
  seen(): void {
    if (this.#current !== undefined) this.#current.hasChanges = true;
  }

  commit(end: bigint): void {
    if (this.#current === undefined) return;
    this.#current.end = end;
    this.#current = undefined;
    if (end > this.#dispatched) this.#dispatched = end;
    this.#advance();
  }

  /** The server's log has come this far without anything for us. */
  idle(position: bigint): void {
    if (this.#open.size > 0 || position <= this.#position) return;
    this.#position = position;
    if (position > this.#dispatched) this.#dispatched = position;
  }

  #advance(): void {
    let isMoved = false;
    for (let first = this.#open.first; first?.end !== undefined && first.pending === 0; first = this.#open.first) {
      this.#open.shift();
      if (first.end > this.#position) this.#position = first.end;
      if (first.hasChanges) this.#worthKeeping = this.#position;
      isMoved = true;
    }
    if (isMoved) this.#onAdvance();
  }
}

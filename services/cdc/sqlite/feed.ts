import type { ChangeRow } from '../../sql/port.ts';
import type { Change } from '../change.ts';
import type { ChangeHub } from '../hub.ts';
import type { Progress } from '../progress.ts';
import { capturedChange, type KeysOfTable, type SourceTraits } from './rows.ts';

export interface FeedOptions {
  readonly hub: ChangeHub;
  readonly progress: Progress;
  readonly traits: SourceTraits;
  readonly wants: (change: Change) => boolean;
  readonly keysOfTable: KeysOfTable;
  /** Of the entry: whether something has been captured. */
  readonly onChange: () => void;
  /** The last line that was handed on. */
  readonly position: number;
}

/**
 * Hands the lines of a log to the hub and keeps the progress. Each line counts on its own, as nothing tells which of them
 * were one transaction, but where it carries its trace: then it is handled as a whole, so that all of it finds that trace.
 */
export class LogFeed {
  readonly progress: Progress;
  readonly #options: FeedOptions;
  #position: number;
  #trace: { readonly traceparent: string; readonly until: number } | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.progress = options.progress;
    this.#position = options.position;
  }

  /** Where to go on reading. */
  get position(): number {
    return this.#position;
  }

  /** What is behind this position comes next: everything before it has been handed on in another way. */
  skipTo(position: number): void {
    this.#position = position;
  }

  take(line: ChangeRow): void {
    const { seq, time, op, after, until } = line;
    if (this.#trace === undefined) this.progress.begin(time);
    if (op !== 'trace') this.#dispatch({ ...line, op });
    // A mark that was never sealed says nothing of where its transaction ends.
    else if (after !== null && until !== null && until > seq) this.#trace = { traceparent: after, until };
    if (this.#trace !== undefined && this.#trace.until <= seq) this.#trace = undefined;
    if (this.#trace === undefined) this.progress.commit(BigInt(seq));
    this.#position = seq;
  }

  #dispatch(line: ChangeRow & { readonly op: 'insert' | 'update' | 'delete' }): void {
    const { hub, traits, wants, keysOfTable, onChange } = this.#options;
    const captured = capturedChange(traits, line, this.#trace?.traceparent, keysOfTable);
    if (!wants(captured.change)) return; // the log is that of all sources
    onChange();
    hub.dispatch(captured, this.progress);
  }
}

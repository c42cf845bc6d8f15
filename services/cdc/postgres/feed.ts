import type { ChangeHub } from '../hub.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Progress } from '../progress.ts';
import { OFFSETS_TABLE } from './database.ts';
import { type ChangeOrigin, capturedChange, changeOrigin, type SourceTraits } from './rows.ts';
import type { TransactionChange, TransactionHead, TransactionSink } from './transactions.ts';

export interface FeedOptions {
  readonly hub: ChangeHub;
  readonly progress: Progress;
  readonly traits: SourceTraits;
  readonly wants: (table: { schema: string; name: string }) => boolean;
  /** Of the entry: whether something has been captured. */
  readonly onChange: () => void;
}

/**
 * Hands committed changes to the hub and keeps the progress. It outlives a connection: a transaction in whose middle the
 * connection broke comes again from its first change, and those that were handed on are not handed on twice.
 */
export class ChangeFeed implements TransactionSink {
  readonly progress: Progress;
  readonly #options: FeedOptions;
  readonly #wanted = new Map<string, boolean>();
  /** Changes mostly come from the table of the one before: whether that is wanted is at hand without a look-up. */
  #lastRelation: Relation | undefined;
  #isLastWanted = false;
  #origin: ChangeOrigin | undefined;
  /** Changes of the current transaction that have come, and how many of them were handed on by an earlier connection. */
  #ordinal = 0;
  #handedOn = 0;
  #isBroken = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.progress = options.progress;
  }

  /** The connection is gone. */
  interrupt(): void {
    this.#isBroken = true;
  }

  begin(head: TransactionHead): void {
    const earlier = this.#origin?.head;
    if (this.#isBroken && earlier !== undefined) {
      if (earlier.commitLsn === head.commitLsn) {
        this.#handedOn = Math.max(this.#handedOn, this.#ordinal);
        this.#ordinal = 0;
        this.#isBroken = false;
        return;
      }
      this.progress.commit(earlier.commitLsn); // nothing of it is published any more
    }
    this.#isBroken = false;
    this.#origin = changeOrigin(this.#options.traits, head);
    this.#ordinal = 0;
    this.#handedOn = 0;
    this.progress.begin(head.commitTime);
  }

  change(change: TransactionChange): void {
    if (this.#origin === undefined) throw new Error('a change outside of a transaction');
    this.#ordinal += 1;
    const { relation } = change.message;
    if (relation !== this.#lastRelation) {
      this.#isLastWanted = this.#wants(relation);
      this.#lastRelation = relation;
    }
    if (this.#ordinal <= this.#handedOn || !this.#isLastWanted) return;
    this.#options.onChange();
    this.#options.hub.dispatch(capturedChange(this.#origin, change, this.#ordinal), this.progress);
  }

  commit(endLsn: Lsn): void {
    this.#origin = undefined;
    this.progress.commit(endLsn);
  }

  get isWithinTransaction(): boolean {
    return this.#origin !== undefined;
  }

  /** Our own table would make an endless circle: its change is a change. */
  #wants({ schema, name, fullName }: Relation): boolean {
    let wanted = this.#wanted.get(fullName);
    if (wanted === undefined) {
      wanted = name !== OFFSETS_TABLE && this.#options.wants({ schema, name });
      this.#wanted.set(fullName, wanted);
    }
    return wanted;
  }
}

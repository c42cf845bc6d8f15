import type { CallError } from '../../runtime/errors.ts';

/** A table as the log shows it. */
export interface LogShape {
  readonly table: string;
  readonly columns: readonly string[];
  /** Empty where none is declared. */
  readonly primaryKey: readonly string[];
}

/**
 * One line of a log. `trace` is no change: it says in which trace those up to `until` were made, its `after` is the
 * `traceparent`. Rows are JSON texts: column to value, a letter for its type before it (`i` integer, `r` real, `t` text,
 * `b` bytes in hex), null for NULL.
 */
export interface ChangeRow {
  /** Grows with the order of commits and, within a transaction, of statements. */
  readonly seq: number;
  /** Milliseconds since the epoch of the statement. */
  readonly time: number;
  readonly op: 'insert' | 'update' | 'delete' | 'trace';
  readonly table: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly until: number | null;
}

export interface ChangeLogOptions {
  /** Whose cursor it is. */
  readonly reader: string;
  /** In the file: it outlives the program, and other programs write it too. Otherwise what this connection changes, while it is open. */
  readonly isDurable: boolean;
  /** `table` or `schema.table`, whatever their case; undefined: all of them, later ones too. */
  readonly tables: readonly string[] | undefined;
  /** A new reader wants the rows that are there before the changes. */
  readonly wantsRows: boolean;
  /** Triggers cannot be made to fit the tables: changes may be missed. Undefined: they fit again. */
  readonly troubled: (error: CallError | undefined) => void;
}

/**
 * The changes of a database that has no log of its own: triggers write them within the transaction that makes them, so that
 * what is rolled back leaves nothing. Every method rejects with CallError; after `ended` all do.
 */
export interface ChangeLog {
  /** Another one is another log: positions of the earlier mean nothing. */
  readonly generation: string;
  /** Everything up to here had been handled when it was opened. */
  readonly position: number;
  /** `wantsRows`, and they have not been handled to their end. */
  readonly owesRows: boolean;
  /** Rejects when the connection is gone. */
  readonly ended: Promise<never>;
  /** Resolves once something behind `after` is committed, to the end of what is. */
  changed(after: number): Promise<number>;
  /** At most `limit`, and no more than a few megabytes; none only where there are none. */
  read(after: number, limit: number): Promise<readonly ChangeRow[]>;
  /** Writes the cursor down; what every reader has handled is forgotten. */
  keep(position: number): Promise<void>;
  /** Bytes of the changes behind a position. */
  retained(after: number): Promise<number>;
  /** The tables that could be captured now. */
  shapes(): Promise<readonly LogShape[]>;
  /**
   * The rows of tables as of one moment, whose position it returns: no later change is in them, all earlier ones are.
   * `row` gets them one after the other, in the form of ChangeRow, and is waited for.
   */
  rows(
    tables: readonly string[],
    row: (table: string, row: string) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<number>;
  /** No more is captured for this reader, unless the log is in the file. Idempotent. */
  close(): Promise<void>;
}

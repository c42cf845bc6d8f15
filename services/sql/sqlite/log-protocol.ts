import type { ChangeRow, LogShape } from '../change-log.ts';

/**
 * A database has two logs: `temp` lives as long as the connection and sees what is changed through it, `main` is a table in
 * the file, written whoever changes the file.
 */
export type LogName = 'temp' | 'main';

/** What one reader of a log asks for when it begins. */
export interface LogOpening {
  readonly log: LogName;
  /** The cursor of the file is kept under this name. */
  readonly reader: string;
  /** Lower case, `table` or `schema.table`; undefined: all of them. */
  readonly tables: readonly string[] | undefined;
  /** Whether a new reader wants the rows that are there before the changes. */
  readonly wantsRows: boolean;
  /** Of a log that is made now. */
  readonly generation: string;
}
export interface LogOpened {
  /** Changes with a log that is made anew. */
  readonly generation: string;
  /** Everything up to here has been handled. */
  readonly position: number;
  /** Everything up to here is committed. */
  readonly committed: number;
  /** The rows that were there have not been handled to their end. */
  readonly owesRows: boolean;
}

/** What the thread does for readers of logs: all of it outside of a transaction, but `read`, `look`, `retained` and `shapes`. */
export interface LogCalls {
  open(input: LogOpening): LogOpened;
  close(input: { readonly log: LogName; readonly reader: string }): undefined;
  /** Committed changes behind `after`, in their order. */
  read(input: { readonly log: LogName; readonly after: number; readonly limit: number }): readonly ChangeRow[];
  /** Notices what other programs have committed, and makes the triggers fit the tables. */
  look(input: Record<string, never>): undefined;
  /** Writes the cursor down and forgets what all readers have handled; true where there is more to forget. */
  keep(input: { readonly log: LogName; readonly reader: string; readonly position: number }): boolean;
  /** Bytes of the changes behind `after`. */
  retained(input: { readonly log: LogName; readonly after: number }): number;
  shapes(input: Record<string, never>): readonly LogShape[];
  /** The committed rows of tables, as of one moment: `position` is that moment's place in the log. */
  openRows(input: { readonly log: LogName; readonly tables: readonly string[] }): {
    readonly id: number;
    readonly position: number;
  };
  /** Empty at the end. */
  nextRows(input: { readonly id: number; readonly limit: number }): readonly (readonly [table: string, row: string])[];
  closeRows(input: { readonly id: number }): undefined;
}

export type LogRequest = {
  [Call in keyof LogCalls]: {
    readonly kind: 'log';
    readonly call: Call;
    readonly input: Parameters<LogCalls[Call]>[0];
  };
}[keyof LogCalls];

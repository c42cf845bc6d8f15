import type { HostValue } from '../../runtime/lua/values.ts';

/** The closed set of `op` (lua/cdc.md, section 3). */
export const OPS = ['insert', 'update', 'delete', 'truncate', 'snapshot'] as const;
export type Op = (typeof OPS)[number];

/** Column to value: PostgreSQL's text form, what SQLite stores; NULL is absent. */
export type Row = Readonly<Record<string, HostValue>>;

/** What handlers, queues and channels get (lua/cdc.md, section 3). */
export type Change = {
  /** The source's configured name; its entry id where it has none. */
  readonly source: string;
  readonly source_id: string;
  readonly op: Op;
  readonly schema: string;
  readonly table: string;
  readonly relation: string;
  /** Where in the log the change stands; empty where there is no log. */
  readonly lsn: string;
  readonly commit_lsn?: string;
  /** Opaque; grows with the order of changes. */
  readonly cursor?: string;
  /** Changes when the source is replaced. */
  readonly generation?: string;
  readonly transaction?: string;
  readonly xid?: number;
  readonly before?: Row;
  readonly after?: Row;
  /** Columns that are not in `after` because the update left their large values as they were. */
  readonly unchanged?: readonly string[];
};

/** A change with what delivering it needs to know. */
export interface Captured {
  readonly change: Change;
  /**
   * Texts of the primary keys that it concerns: two where an update changed the key. Undefined: unknown, or the whole
   * table; it keeps its place among all changes of the table.
   */
  readonly keys: readonly string[] | undefined;
  /** Of the message it came in: what backlogs are measured by. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly commitTime: number;
  /** The position of its transaction's commit, for what begins in the middle of a stream. 0 where there is none. */
  readonly commitPosition: bigint;
  /** `traceparent` of the transaction that made it, where the writer marked it (extensions.md, section 8). */
  readonly traceparent?: string;
}

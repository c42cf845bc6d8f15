import type { CallContext } from '../../runtime/context.ts';
import { portKey } from '../../runtime/env.ts';
import type { ChangeLog, ChangeLogOptions } from './change-log.ts';
import type { Executed, PoolState, Rows, SqlBackend, SqlParam, TransactionOptions } from './driver.ts';

/** Who asks: the call's context, and what ends the work early (the end of the call). */
export interface SqlCaller {
  readonly context: CallContext;
  readonly signal: AbortSignal;
  /** It writes the line of a failed write itself: one failure is one line. */
  readonly hasOwnLine?: true;
}
/** One statement; `$1` or `?`, as the database has them. */
export interface SqlText {
  readonly text: string;
  readonly params: readonly SqlParam[];
  readonly isPrepared?: boolean;
}

/** What the statements of a database and those of a transaction have in common. All reject with CallError. */
export interface SqlTarget {
  query(statement: SqlText, caller: SqlCaller): Promise<Rows>;
  execute(statement: SqlText, caller: SqlCaller): Promise<Executed>;
  /** Whether the database understands the text. */
  prepare(text: string, caller: SqlCaller): Promise<void>;
}

/** It holds a connection until `commit` or `rollback`, which end it whatever they report. */
export interface Transaction extends SqlTarget {
  readonly isActive: boolean;
  /** `SAVEPOINT x` and the like. */
  command(text: string): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Rolls back what nobody has ended, cutting off a statement that still runs. Idempotent; never rejects. */
  close(): Promise<void>;
}

/** Runs in a transaction right before its first `execute`, on its connection. A rejection fails that statement. */
export type TransactionMark = (
  run: (statement: SqlText) => Promise<Executed>,
  context: CallContext,
) => Promise<void> | void;

export interface PoolStats extends PoolState {
  /** Acquisitions that had to wait, and milliseconds they waited, since the start. */
  readonly waitCount: number;
  readonly waitMs: number;
}

/** A declared database; every use goes through its sites. */
export interface Database extends SqlTarget {
  readonly id: string;
  readonly type: SqlBackend['type'];
  readonly isRunning: boolean;
  /** What of its address spans may show; empty before it has been reached. */
  readonly spanAttributes: SqlBackend['spanAttributes'];
  begin(options: TransactionOptions, caller: SqlCaller): Promise<Transaction>;
  stats(): PoolStats;
  /** The changes that are made from now on, of `db.sql.sqlite`. @throws CallError Unavailable, Invalid. */
  openChangeLog(options: ChangeLogOptions): Promise<ChangeLog>;
}

/** What another service needs of a change log. */
export type { ChangeLog, ChangeRow, LogShape } from './change-log.ts';

export interface Databases {
  get(id: string): Database | undefined;
}
export const DATABASES = portKey<Databases>('databases');

import type { CallError } from '../../runtime/errors.ts';
import type { ChangeLog, ChangeLogOptions } from './change-log.ts';

/** What a parameter is bound as: bigint as an integer of 64 bits, number as a double. */
export type SqlParam = null | boolean | number | bigint | string | Uint8Array;

/** A value of a result, as Lua gets it (lua/sql.md, section 4); undefined is NULL. */
export type Cell = undefined | boolean | number | string | Uint8Array;

export interface Statement {
  /** Handed to the database as it is. */
  readonly text: string;
  readonly params: readonly SqlParam[];
  /** It comes again and again: worth a plan that is kept. */
  readonly isPrepared: boolean;
}

export interface Rows {
  readonly columns: readonly string[];
  /** One cell per column. */
  readonly rows: readonly (readonly Cell[])[];
}
export interface Executed {
  /** 0 where the database has no insert ids. */
  readonly lastInsertId: number;
  readonly rowsAffected: number;
}

export const ISOLATION_LEVELS = [
  'default',
  'read_uncommitted',
  'read_committed',
  'write_committed',
  'repeatable_read',
  'serializable',
] as const;
export type Isolation = (typeof ISOLATION_LEVELS)[number];
export interface TransactionOptions {
  readonly isolation: Isolation;
  readonly readOnly: boolean;
}

/**
 * One connection, held by one user until `release`. Every method rejects with a CallError; its message is the database's
 * own. The connection stays usable after an error unless it is lost.
 */
export interface Connection {
  query(statement: Statement): Promise<Rows>;
  execute(statement: Statement): Promise<Executed>;
  /** Whether the text is a statement that the database understands, before it is run. */
  prepare(text: string): Promise<void>;
  begin(options: TransactionOptions): Promise<void>;
  /** @throws CallError also where the database rolled back instead. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Notes the trace of the open transaction, where its changes go to a log that somebody reads. */
  mark?(traceparent: string): Promise<void>;
  /** Back to the pool, at once; a transaction that is still open is rolled back. Idempotent. */
  release(): void;
  /** The same for a user who no longer waits for what runs: it is ended where the database can do that. */
  abandon(): void;
}

/** What `db:stats()` shows beside the waits (lua/sql.md, section 2). */
export interface PoolState {
  /** 0: no limit. */
  readonly max: number;
  readonly used: number;
  readonly idle: number;
  readonly maxIdleClosed: number;
  readonly maxIdleTimeClosed: number;
  readonly maxLifetimeClosed: number;
}

/** Where connections come from. It knows no telemetry and no Lua. All backends pass test/services/sql/contract.ts. */
export interface SqlBackend {
  /** A value of `sql.type`. */
  readonly type: 'sqlite' | 'postgres';
  /** `db.system.name` of spans, and whether the database is in this program. */
  readonly system: string;
  readonly isEmbedded: boolean;
  /** What of the address spans may show. */
  readonly spanAttributes: Readonly<Record<string, string | number>>;
  /**
   * A connection of its own for the caller, waiting for a free one within the pool's bound.
   * @throws CallError Unavailable, retryable: none was free in time, the database cannot be reached, or it is not running;
   * or the reason of `signal`.
   */
  acquire(signal: AbortSignal): Promise<Connection>;
  /** The same without a wait, for who finds one at hand; undefined: `acquire` is to be asked. Absent: it always is. */
  acquireNow?(): Connection | undefined;
  state(): PoolState;
  /** For a database that has no log of its own. @throws CallError as `acquire`; Invalid where it has no file to be durable in. */
  openChangeLog?(options: ChangeLogOptions): Promise<ChangeLog>;
  /** @throws CallError when the database cannot be opened or reached. */
  start(failed: (error: CallError) => void): Promise<void>;
  /** Idempotent, and harmless without a start. What still runs is cut off. */
  stop(): Promise<void>;
}

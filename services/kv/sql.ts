import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { HostData } from '../../runtime/codec/host-data.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import { CallError, internal, invalid, messageOf, unavailable } from '../../runtime/errors.ts';
import type { Database, SqlCaller, SqlText } from '../sql/port.ts';
import type { BackendInfo, ListQuery, Page, PutOptions, PutOutcome, StoreBackend, StoredEntry } from './backend.ts';
import { jsonText } from './json-text.ts';
import {
  prefixEnd,
  type SqlTable,
  type StoreStatements,
  storeStatements,
  tableText,
  WHOLE_TYPES,
} from './sql-statements.ts';

const INFO: BackendInfo = {
  backend: 'sql',
  consistency: 'local',
  durable: true,
  list: true,
  versioned: false,
  conditional_put: false,
  ttl: true,
};
/** The table has no column for one (lua/store.md, section 6). */
const NO_VERSION = '0';
/** What JSON text can be written to as text. An empty type: a column that takes all. */
const TEXT_TYPES: ReadonlySet<string> = new Set(['', 'text', 'any', 'character varying', 'json', 'jsonb']);

export interface SqlStoreOptions {
  readonly id: string;
  readonly type: Database['type'];
  /** Looked up at the start, when every surface has been built. @throws CallError. */
  readonly database: () => Database;
  readonly table: SqlTable;
  /** Milliseconds between sweeps of expired rows; 0 = no sweeper. */
  readonly cleanupIntervalMs: number;
  /** The table does not fit at the start. It is looked at again by every operation until it does: the app may make it. */
  readonly tableMissing: (error: CallError) => void;
  /** The first of a row of sweeps that failed. */
  readonly sweepFailed: (error: unknown) => void;
}

interface Running {
  readonly database: Database;
  /** Absent until the table fits. */
  statements?: StoreStatements;
}

/**
 * `store.sql`: rows of a table that the app has made: key in its reported form, value as JSON text, expiry as Unix seconds or NULL.
 * One statement per operation, so that each is atomic; every one of them leaves expired rows out.
 */
export const sqlBackend = (clock: Clock, options: SqlStoreOptions): StoreBackend => {
  const { id, type, table, cleanupIntervalMs } = options;
  let running: Running | undefined;
  let stopSweeper: Cancel | undefined;

  const ready = async (caller: SqlCaller) => {
    const now = running;
    if (now === undefined) throw unavailable('store is stopped');
    now.statements ??= await checkedStatements(id, now.database, table, caller);
    return { database: now.database, statements: now.statements };
  };
  const rowsOf = async (text: (s: StoreStatements) => string, params: SqlText['params'], context?: CallContext) => {
    const caller = callerOf(context);
    const { database, statements } = await ready(caller);
    const statement = { text: text(statements), params, isPrepared: true };
    return (await translated(caller, database.query(statement, caller))).rows;
  };
  const changed = async (text: (s: StoreStatements) => string, params: SqlText['params'], context?: CallContext) => {
    const caller = callerOf(context);
    const { database, statements } = await ready(caller);
    const statement = { text: text(statements), params, isPrepared: true };
    return (await translated(caller, database.execute(statement, caller))).rowsAffected;
  };
  const write = async (key: string, json: string, ttl: number | undefined, context?: CallContext): Promise<void> => {
    await changed((s) => s.set, [key, json, ttl === undefined || ttl <= 0 ? null : ttl], context);
  };

  const sweeper = (): (() => void) => {
    let isSweeping = false;
    let isFailing = false;
    return () => {
      if (isSweeping || running?.statements === undefined) return;
      isSweeping = true;
      void changed((s) => s.sweep, [])
        .then(() => {
          isFailing = false;
        })
        .catch((error: unknown) => {
          if (!isFailing && running !== undefined) options.sweepFailed(error);
          isFailing = true;
        })
        .finally(() => {
          isSweeping = false;
        });
    };
  };

  return {
    info: INFO,
    system: type === 'postgres' ? 'postgresql' : 'sqlite',
    isEmbedded: type === 'sqlite',
    spanAttributes: () => ({ 'db.collection.name': table.name, ...running?.database.spanAttributes }),
    async get(key, context) {
      const [row] = await rowsOf((s) => s.get, [key], context);
      return row === undefined ? undefined : entryOf(id, key, row[0]);
    },
    async has(key, context) {
      return (await rowsOf((s) => s.has, [key], context)).length > 0;
    },
    async set(key, value, ttl, context) {
      await write(key, jsonText(value, 'store.sql'), ttl, context);
    },
    async delete(key, context) {
      return (await changed((s) => s.delete, [key], context)) > 0;
    },
    async put(key, value, { ttl, onlyIfAbsent, ifVersion }: PutOptions, context): Promise<PutOutcome> {
      if (onlyIfAbsent === true || ifVersion !== undefined) throw invalid('operation not supported by this store');
      const json = jsonText(value, 'store.sql');
      await write(key, json, ttl, context);
      // What is read back, as from any other read: not the value that came in.
      return { result: 'ok', entry: entryOf(id, key, json) };
    },
    async list({ prefix, after, limit }: ListQuery, context): Promise<Page> {
      const end = prefixEnd(prefix);
      const params = [prefix, after, BigInt(limit + 1)];
      const rows = await (end === undefined
        ? rowsOf((s) => s.list, params, context)
        : rowsOf((s) => s.listBelow, [...params, end], context));
      const items = rows.slice(0, limit).map(([key, value]) => entryOf(id, String(key), value));
      return { items, hasMore: rows.length > limit };
    },
    async start() {
      const next: Running = { database: options.database() };
      try {
        next.statements = await checkedStatements(id, next.database, table, callerOf());
      } catch (error) {
        if (!(error instanceof CallError) || error.kind !== 'Internal') throw error;
        options.tableMissing(error);
      }
      running = next;
      if (cleanupIntervalMs > 0) stopSweeper ??= clock.every(cleanupIntervalMs, sweeper(), { unref: true });
    },
    async stop() {
      running = undefined;
      stopSweeper?.();
      stopSweeper = undefined;
    },
  };
};

const callerOf = (context: CallContext = rootContext): SqlCaller => ({
  context,
  signal: context.signal,
  hasOwnLine: true,
});

/** The database's failures in the terms of a store (lua/store.md, section 2). */
const translated = async <T>({ signal }: SqlCaller, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted || (error instanceof CallError && error.kind === 'Unavailable')) throw error;
    // A lock that was held for too long, a serialization failure: the same work may succeed later.
    if (error instanceof CallError && error.retryable === true) throw unavailable(error.message, { cause: error });
    throw internal(messageOf(error), { cause: error });
  }
};

const entryOf = (id: string, key: string, value: unknown): StoredEntry => {
  try {
    return { key, value: JSON.parse(String(value)) as HostData, version: NO_VERSION };
  } catch {
    throw internal(`a value in the table of ${id} is not JSON: something else has written it`); // the cause quotes the value
  }
};

/** @throws CallError Internal where the table is not there or not as it must be, Unavailable where the database is away. */
const checkedStatements = async (
  id: string,
  database: Database,
  table: SqlTable,
  caller: SqlCaller,
): Promise<StoreStatements> => {
  const statements = storeStatements(database.type, table, { isWhole: false });
  const query = (text: string) => translated(caller, database.query({ text, params: [] }, caller));
  const unfit = (why: string, cause?: unknown): CallError =>
    internal(
      `${id}: the table ${table.name} of ${database.id} cannot be used: ${why}. The table must exist: ${tableText(database.type, table)}`,
      { cause },
    );
  let types: readonly unknown[];
  try {
    await query(statements.check);
    types = (await query(statements.types)).rows[0] ?? [];
  } catch (error) {
    throw error instanceof CallError && error.kind === 'Internal' ? unfit(error.message, error) : error;
  }
  const [valueType, expiryType] = types.map((type) => String(type ?? ''));
  if (!TEXT_TYPES.has(valueType ?? '')) {
    throw unfit(`the column ${table.value} is of the type ${valueType} and cannot hold JSON text`);
  }
  const isWhole = WHOLE_TYPES.has(expiryType ?? '');
  return isWhole ? storeStatements(database.type, table, { isWhole }) : statements;
};

import type { Env } from '../../runtime/env.ts';
import { CallError, invalid } from '../../runtime/errors.ts';
import { sampledTraceparent } from '../../runtime/sampled-traceparent.ts';
import type { Connection, SqlBackend } from './driver.ts';
import { POOL_STATES, sqlPoolConnections, sqlPoolWait } from './instruments.ts';
import type { Database, SqlCaller, TransactionMark } from './port.ts';
import { sqlSites } from './sites.ts';
import { openTransaction } from './transaction.ts';

/** A wait shorter than this (milliseconds) is none: a free connection is handed over at once, but not within no time. */
const SHORTEST_WAIT_MS = 1;

/** While no connection can be made the database is degraded: one warning at the begin, one line at the end. */
const reachability = (env: Env, id: string) => {
  const logger = env.logger.subsystem('sql');
  let isAway = false;
  return {
    yes() {
      if (!isAway) return;
      isAway = false;
      env.health(id).degraded(false);
      logger.info('the database can be reached again', { db: id });
    },
    perhapsNot(error: unknown) {
      if (!(error instanceof CallError) || error.telemetryKind !== 'connect') return;
      env.health(id).error('connect');
      if (isAway) return;
      isAway = true;
      env.health(id).degraded(true);
      logger.warn('the database cannot be reached', { db: id, error: error.message });
    },
  };
};

/** A database whose changes go to a log of ours notes there in which trace they were made (extensions.md, section 8). */
const logMark = ({ propagator }: Env, connection: Connection): TransactionMark | undefined => {
  if (connection.mark === undefined) return undefined;
  return (_run, context) => {
    const traceparent = sampledTraceparent(propagator, context);
    return traceparent === undefined ? undefined : connection.mark?.(traceparent);
  };
};

export interface DatabaseOptions {
  /** Whether its component is. */
  readonly isRunning: () => boolean;
  /** Of a transaction that begins now. */
  readonly mark?: (() => TransactionMark | undefined) | undefined;
}

/** Joins a backend with its sites and its metrics. */
export const createDatabase = (
  env: Env,
  id: string,
  backend: SqlBackend,
  { isRunning, mark }: DatabaseOptions,
): Database => {
  const { clock, collector } = env;
  const sites = sqlSites(env, id, backend);
  const wait = collector.histogram(sqlPoolWait).bind({ db: id });
  for (const state of POOL_STATES) {
    collector.observe('gauge', sqlPoolConnections, { db: id, state }, () => backend.state()[state]);
  }
  let waitCount = 0;
  let waitMs = 0;

  const reachable = reachability(env, id);
  const waited = (since: number): void => {
    const ms = clock.now() - since;
    wait.observe(ms / 1000);
    if (ms < SHORTEST_WAIT_MS) return;
    waitCount += 1;
    waitMs += ms;
  };
  const acquire = async ({ signal }: SqlCaller): Promise<Connection> => {
    const since = clock.now();
    try {
      const connection = await backend.acquire(signal);
      reachable.yes();
      return connection;
    } catch (error) {
      reachable.perhapsNot(error);
      throw error;
    } finally {
      waited(since);
    }
  };
  /** One that is at hand costs neither a promise nor a look at the clock. */
  const acquireNow = ({ signal }: SqlCaller): Connection | undefined => {
    const connection = signal.aborted ? undefined : backend.acquireNow?.();
    if (connection !== undefined) wait.observe(0);
    return connection;
  };
  /** A connection for one statement. When the caller is gone it is not waited for. */
  const withConnection = async <T>(caller: SqlCaller, use: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = acquireNow(caller) ?? (await acquire(caller));
    const abandon = (): void => connection.abandon();
    caller.signal.addEventListener('abort', abandon);
    try {
      return await use(connection);
    } finally {
      caller.signal.removeEventListener('abort', abandon);
      connection.release();
    }
  };

  return {
    id,
    type: backend.type,
    spanAttributes: backend.spanAttributes,
    get isRunning() {
      return isRunning();
    },
    query: ({ text, params, isPrepared = false }, caller) =>
      sites.query(text, caller.context, () =>
        withConnection(caller, (connection) => connection.query({ text, params, isPrepared })),
      ),
    execute: ({ text, params, isPrepared = false }, caller) =>
      sites.exec(
        text,
        caller.context,
        () => withConnection(caller, (connection) => connection.execute({ text, params, isPrepared })),
        caller.hasOwnLine,
      ),
    prepare: (text, caller) => withConnection(caller, (connection) => connection.prepare(text)),
    begin: (options, caller) =>
      sites.begin(undefined, caller.context, async () => {
        const connection = await acquire(caller);
        const abandon = (): void => connection.abandon();
        caller.signal.addEventListener('abort', abandon);
        try {
          await connection.begin(options);
          caller.signal.throwIfAborted();
        } catch (error) {
          connection.release();
          throw error;
        } finally {
          caller.signal.removeEventListener('abort', abandon);
        }
        return openTransaction(sites, connection, caller.context, mark?.() ?? logMark(env, connection), clock);
      }),
    stats: () => ({ ...backend.state(), waitCount, waitMs }),
    async openChangeLog(options) {
      if (backend.openChangeLog === undefined) throw invalid(`${id} has no change log of that kind`);
      return backend.openChangeLog(options);
    },
  };
};

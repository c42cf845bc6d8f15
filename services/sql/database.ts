import type { Env } from '../../runtime/env.ts';
import { CallError } from '../../runtime/errors.ts';
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
      const waited = clock.now() - since;
      wait.observe(waited / 1000);
      if (waited >= SHORTEST_WAIT_MS) {
        waitCount += 1;
        waitMs += waited;
      }
    }
  };
  /** A connection for one statement. When the caller is gone it is not waited for. */
  const withConnection = async <T>(caller: SqlCaller, use: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await acquire(caller);
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
    get isRunning() {
      return isRunning();
    },
    query: ({ text, params, isPrepared = false }, caller) =>
      sites.query(text, caller.context, () =>
        withConnection(caller, (connection) => connection.query({ text, params, isPrepared })),
      ),
    execute: ({ text, params, isPrepared = false }, caller) =>
      sites.exec(text, caller.context, () =>
        withConnection(caller, (connection) => connection.execute({ text, params, isPrepared })),
      ),
    prepare: (text, caller) => withConnection(caller, (connection) => connection.prepare(text)),
    begin: (options, caller) =>
      sites.begin(undefined, caller.context, async () => {
        const connection = await acquire(caller);
        try {
          await connection.begin(options);
        } catch (error) {
          connection.release();
          throw error;
        }
        return openTransaction(sites, connection, caller.context, mark?.());
      }),
    stats: () => ({ ...backend.state(), waitCount, waitMs }),
  };
};

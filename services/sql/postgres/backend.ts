import { type ClientConfig, Pool, type PoolClient } from 'pg';
import type { Clock } from '../../../runtime/clock.ts';
import { waitAtMost } from '../../../runtime/deadline.ts';
import { type CallError, unavailable } from '../../../runtime/errors.ts';
import { connectPostgres } from '../../../runtime/postgres/connect.ts';
import { databaseIdentity } from '../../../runtime/postgres/identity.ts';
import { clientConfigs, type DriverOptions, type PostgresAddress } from '../../../runtime/postgres/options.ts';
import type { Connection, SqlBackend } from '../driver.ts';
import { startFailure } from '../start-failure.ts';
import { type ClientState, postgresConnection } from './connection.ts';
import { connectError } from './errors.ts';
import { resultTypes } from './types.ts';

export interface PostgresOptions {
  readonly id: string;
  /** Resolved when the database starts: `<key>_env` may name a variable of a storage. */
  readonly address: () => PostgresAddress;
  readonly options: DriverOptions;
  /** What paths in `options` are relative to. */
  readonly root: string;
  /** 0: the driver's default. */
  readonly maxOpen: number;
  readonly maxIdle: number;
  readonly maxLifetimeMs: number;
  readonly acquireTimeoutMs: number;
  /** Of the connection that the start makes; absent: as any other. */
  readonly startTimeoutMs?: number;
  readonly stopTimeoutMs: number;
}

const DEFAULT_PORT = 5432;
/** The driver's own default. */
const DEFAULT_MAX_OPEN = 10;
/** A connection costs the server memory, and a new one some ten milliseconds. */
const IDLE_TIMEOUT_MS = 60_000;
/** Values are read in these forms. */
const RESULT_SETTINGS = { DateStyle: 'ISO', bytea_output: 'hex' };
const POOL_TIMEOUT = 'timeout exceeded when trying to connect';

/** What is known of one client beside its statements. */
interface PooledState extends ClientState {
  readonly bornAt: number;
}
interface Running {
  readonly pool: Pool;
  readonly address: PostgresAddress;
  readonly states: WeakMap<PoolClient, PooledState>;
  /** Given back in this turn of the event loop: whoever asks in the same turn takes one without the pool and its timers. */
  readonly warm: PoolClient[];
}

export interface PostgresBackend extends SqlBackend {
  /** Of the database, once it has been reached: the same text for all who are connected to it. */
  identity(): string | undefined;
}

/** `db.sql.postgres`: a pool of `pg`. */
export const postgresBackend = (clock: Clock, options: PostgresOptions): PostgresBackend => {
  const { id, acquireTimeoutMs } = options;
  const max = options.maxOpen === 0 ? DEFAULT_MAX_OPEN : options.maxOpen;
  let running: Running | undefined;
  let identity: string | undefined;
  let used = 0;
  let maxIdleClosed = 0;
  let tooOld = 0;
  const spanAttributes: Record<string, string | number> = {};
  const notRunning = (): CallError => unavailable(`database is not running: ${id}`);

  const toPool = ({ pool }: Running, client: PoolClient, isUnfit: boolean): void => {
    const isSurplus = !isUnfit && options.maxIdle > 0 && pool.waitingCount === 0 && pool.idleCount >= options.maxIdle;
    if (isSurplus) maxIdleClosed += 1;
    client.release(isUnfit || isSurplus);
  };
  const coolDown = (now: Running): void => {
    for (const client of now.warm.splice(0)) toPool(now, client, isLost(now, client));
  };
  const isLost = ({ states }: Running, client: PoolClient): boolean => states.get(client)?.isLost ?? true;
  const isOld = ({ states }: Running, client: PoolClient): boolean =>
    options.maxLifetimeMs > 0 && clock.now() - (states.get(client)?.bornAt ?? 0) >= options.maxLifetimeMs;
  const releaseTo =
    (now: Running, client: PoolClient) =>
    (isUnfit: boolean): void => {
      used -= 1;
      if (isUnfit || now !== running || now.pool.waitingCount > 0 || isOld(now, client)) {
        toPool(now, client, isUnfit);
        return;
      }
      now.warm.push(client);
      if (now.warm.length === 1) setImmediate(() => coolDown(now));
    };
  const warmClient = (now: Running): PoolClient | undefined => {
    for (let client = now.warm.pop(); client !== undefined; client = now.warm.pop()) {
      if (!isLost(now, client)) return client;
      toPool(now, client, true);
    }
    return undefined;
  };

  const refusal = (error: Error | undefined): CallError =>
    error?.message === POOL_TIMEOUT
      ? unavailable(`no connection to ${id} was free within ${acquireTimeoutMs} ms: ${used} of ${max} are in use`)
      : connectError(error ?? new Error('the pool gave no connection'));
  const connected = ({ pool }: Running, signal: AbortSignal): Promise<PoolClient> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const abort = (): void => reject(signal.reason);
      const mayWait = pool.idleCount === 0;
      if (mayWait) signal.addEventListener('abort', abort);
      // The callbacks of the driver, because each of its promises costs as much as all of this.
      pool.connect((error, client) => {
        if (mayWait) signal.removeEventListener('abort', abort);
        if (client === undefined || error !== undefined) reject(refusal(error));
        else if (!signal.aborted) resolve(client);
        else {
          client.release(); // the caller has given up
          abort();
        }
      });
    });

  const held = (now: Running, client: PoolClient): Connection => {
    used += 1;
    const state = now.states.get(client) ?? { names: new Set(), isLost: true };
    return postgresConnection(client, state, { address: now.address, end: releaseTo(now, client) });
  };

  return {
    type: 'postgres',
    system: 'postgresql',
    isEmbedded: false,
    spanAttributes,
    identity: () => identity,
    acquireNow() {
      const client = running === undefined ? undefined : warmClient(running);
      return client === undefined ? undefined : held(running as Running, client);
    },
    async acquire(signal): Promise<Connection> {
      const now = running;
      if (now === undefined) throw notRunning();
      signal.throwIfAborted();
      return held(now, warmClient(now) ?? (await connected(now, signal)));
    },
    state() {
      const open = running?.pool.totalCount ?? 0;
      const idle = (running?.pool.idleCount ?? 0) + (running?.warm.length ?? 0);
      return {
        max,
        used: Math.max(open - idle, 0),
        idle,
        maxIdleClosed,
        maxIdleTimeClosed: 0,
        maxLifetimeClosed: tooOld,
      };
    },
    async start() {
      const address = options.address();
      const forms = clientConfigs(address, {
        options: options.options,
        root: options.root,
        settings: RESULT_SETTINGS,
        applicationName: 'perilune',
        connectTimeoutMs: options.startTimeoutMs ?? acquireTimeoutMs,
      }).map((form) => ({ ...form, types: resultTypes }));
      let config: ClientConfig;
      try {
        const first = await connectPostgres(forms);
        try {
          identity = await databaseIdentity(first.client, address);
        } finally {
          await first.client.end();
        }
        config = first.config;
      } catch (error) {
        throw startFailure(`postgres at ${address.host}:${address.port}`, connectError(error));
      }
      const pool = new Pool({
        ...config,
        max,
        idleTimeoutMillis: IDLE_TIMEOUT_MS,
        maxLifetimeSeconds: options.maxLifetimeMs / 1000,
        connectionTimeoutMillis: acquireTimeoutMs,
      });
      const states: Running['states'] = new WeakMap();
      pool.on('connect', (client) => {
        const state: PooledState = { names: new Set(), isLost: false, bornAt: clock.now() };
        states.set(client, state);
        // While somebody uses it the pool does not listen; unheard, the loss of a connection would end the program.
        client.on('error', () => {
          state.isLost = true;
        });
        client.on('end', () => {
          state.isLost = true;
          if (clock.now() - state.bornAt >= options.maxLifetimeMs) tooOld += 1;
        });
      });
      pool.on('error', () => {}); // an idle connection was lost: the pool has taken it out already
      Object.assign(spanAttributes, {
        'db.namespace': address.database,
        'server.address': address.host,
        ...(address.port !== DEFAULT_PORT && { 'server.port': address.port }),
      });
      running = { pool, address, states, warm: [] };
    },
    async stop() {
      const now = running;
      running = undefined;
      if (now === undefined) return;
      coolDown(now);
      // It ends when every connection is back; those that are not by then break with the program.
      await waitAtMost(clock, options.stopTimeoutMs, now.pool.end(), { unref: true });
    },
  };
};

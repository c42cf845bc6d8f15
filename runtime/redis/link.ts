import type { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import { waitAtMost } from '../deadline.ts';
import { messageOf, StartError, unavailable } from '../errors.ts';
import { clusterOf, isCluster, type RedisClient } from './cluster.ts';
import { redisFailure } from './failure.ts';
import { type RedisScript, runScript, type ScriptArgument } from './script.ts';

/** Told once when a connection that was there is lost, and once when it is back. */
export interface LinkWatch {
  lost(reason: string): void;
  back(): void;
}

export interface LinkOptions {
  readonly clock: Clock;
  /** Shown in Redis' `CLIENT LIST`. */
  readonly name: string;
  readonly url: () => string;
  readonly watch?: LinkWatch;
  /** Of the start. */
  readonly connectTimeoutMs: number;
}

/** Where commands go, as the url says; nothing of it is secret. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** The number of the database. */
  readonly index: number;
}

/** A silent server is taken for dead after this; longer than any blocking read. */
const SILENCE_MS = 10_000;
const LONGEST_RETRY_MS = 1000;
const DEFAULT_PORT = 6379;
/** Of the time that a start has: it fails with the address before it is given up without one. */
const PART_OF_START = 0.9;
/** Text of every use before the start and after the stop. */
const NOT_RUNNING = 'redis connection is not started';

const retryMs = (attempt: number): number => Math.min(50 * 2 ** (attempt - 1), LONGEST_RETRY_MS);

/**
 * One connection to Redis that comes back by itself; where the server is a node of a cluster, one to each of its primaries, and a
 * command goes to that of its first key. Nothing is queued while it is gone, and nothing is sent twice: a
 * command that was under way when it broke may or may not have been carried out.
 */
export interface RedisLink {
  readonly isReady: boolean;
  /** Undefined before the first start. */
  readonly address: RedisAddress | undefined;
  /** @throws StartError at the first refusal. A second start does nothing. */
  start(): Promise<void>;
  /** Idempotent. Commands that wait for their answer fail. */
  stop(): void;
  /**
   * In a cluster the keys of one command or script must share a slot, and a command without a key goes to any node.
   * @throws CallError Unavailable, retryable, while there is no connection; Internal for what Redis refuses.
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T>;
  /** On the servers that have the keys, at the same time: one, or the primaries of a cluster. Its failures are those of `run`. */
  runOnEach(command: (client: Redis) => Promise<void>): Promise<void>;
  script(script: RedisScript, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
  /** Resolves when commands can be sent, when it is stopped, and at the latest after `ms`. */
  untilReady(ms: number): Promise<void>;
  /** Another connection to the same server: for reads that block. Not started. */
  another(name: string): RedisLink;
  /** Runs `body` whenever the connection is there, the first time included. */
  onReady(body: () => void): void;
}

export const redisLink = (options: LinkOptions): RedisLink => {
  const { clock, name, watch, connectTimeoutMs } = options;
  let client: RedisClient | undefined;
  let address: RedisAddress | undefined;
  let lastError: string | undefined;
  let isLost = false;
  let hasStarted = false;
  const onReady: (() => void)[] = [];
  const waiting = new Set<() => void>();

  const wakeWaiting = (): void => {
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const ready = (): void => {
    lastError = undefined;
    if (isLost) watch?.back();
    isLost = false;
    for (const body of onReady) body();
    wakeWaiting();
  };
  const listen = (to: RedisClient): void => {
    to.on('error', (error: Error) => {
      lastError = textOf(error);
    });
    to.on('close', () => {
      if (!hasStarted || client !== to || isLost) return;
      isLost = true;
      watch?.lost(lastError ?? 'the server closed the connection');
    });
    to.on('ready', () => {
      if (client === to && hasStarted) ready();
    });
  };
  const run: RedisLink['run'] = async (command) => {
    if (client === undefined) throw unavailable(NOT_RUNNING);
    try {
      return await command(client);
    } catch (error) {
      throw redisFailure(error, lastError);
    }
  };

  return {
    get isReady() {
      return client?.status === 'ready';
    },
    get address() {
      return address;
    },
    async start() {
      if (client !== undefined) return;
      const url = options.url();
      // Loaded here: an app without Redis does not pay for it.
      const { Redis } = await import('ioredis');
      const made = new Redis(url, {
        lazyConnect: true,
        connectionName: name,
        connectTimeout: connectTimeoutMs,
        socketTimeout: SILENCE_MS,
        // What cannot be sent now fails now, and nothing is sent again behind the caller's back: a publish would double.
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        retryStrategy: retryMs,
      });
      client = made;
      const { host = 'localhost', port = DEFAULT_PORT, db = 0 } = made.options;
      address = { host, port, index: db };
      listen(made);
      try {
        // Also a server that takes the connection and then says nothing, which no timeout of the socket ends in time.
        const connected = made.connect().then(() => clusterOf(made, { retryMs }));
        const waited = await waitAtMost(clock, connectTimeoutMs * PART_OF_START, connected);
        if (!waited.inTime) {
          connected.then((cluster) => cluster?.disconnect()).catch(() => {}); // it has come too late
          throw new Error(`nothing within ${connectTimeoutMs * PART_OF_START}ms`);
        }
        if (client !== made) return waited.value?.disconnect(); // stopped meanwhile
        if (waited.value !== undefined) {
          client = waited.value;
          listen(client);
          made.disconnect();
        }
        hasStarted = true;
        ready();
      } catch (error) {
        made.disconnect();
        client = undefined;
        throw new StartError(`redis at ${new URL(url).host} does not answer: ${lastError ?? textOf(error)}`, error);
      }
    },
    stop() {
      hasStarted = false;
      isLost = false;
      client?.disconnect();
      client = undefined;
      wakeWaiting();
    },
    run,
    runOnEach: (command) =>
      run(async (to) => {
        await Promise.all((isCluster(to) ? to.nodes('master') : [to]).map(command));
      }),
    script: (script, keys, args) => run((to) => runScript(to, script, keys, args)),
    async untilReady(ms) {
      if (client === undefined || client.status === 'ready') return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      await waitAtMost(clock, ms, promise, { unref: true });
      waiting.delete(resolve);
    },
    another: (otherName) => redisLink({ clock, name: otherName, url: options.url, connectTimeoutMs }),
    onReady: (body) => void onReady.push(body),
  };
};

/** A refused connection to a name with several addresses is an AggregateError without a text of its own. */
const textOf = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : messageOf(error);

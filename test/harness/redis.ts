import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { poll } from './poll.ts';
import type { Scope } from './teardown.ts';

/** A Redis of a test's own, or the one that PERILUNE_TEST_REDIS_URL names. */
export interface RedisServer {
  readonly url: string;
  /** Begins every key of this test: several tests may share one server. */
  readonly prefix: string;
  /** For looking at what the program has written. */
  readonly client: Redis;
}

/** One that a test may kill: never the one that the variable names. */
export interface OwnRedisServer extends RedisServer {
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void;
  /** Starts it again, on the same port and files; resolves when it answers. */
  restart(): Promise<void>;
}

/** What to tell a user whose machine has none. */
export const REDIS_MISSING = `Redis is not to be had here. One of these gives it:
  apt-get install redis-server (Debian, Ubuntu)   then \`redis-server\` is on PATH
  PERILUNE_TEST_REDIS_URL=redis://host:6379       a running server of 6.2 or newer, of which the tests use keys of their own`;

const clientOf = (scope: Scope, url: string): Redis => {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 50 });
  client.on('error', () => {}); // a killed server is what some tests are about
  scope.teardown(() => client.disconnect());
  return client;
};
const newPrefix = (): string => `test-${randomUUID()}:`;

/** The server that PERILUNE_TEST_REDIS_URL names, else one of its own. @throws Error REDIS_MISSING */
export const startRedis = async (scope: Scope): Promise<RedisServer> => {
  const { PERILUNE_TEST_REDIS_URL: url } = process.env;
  if (url === undefined || url === '') return startOwnRedis(scope);
  const server = { url, prefix: newPrefix(), client: clientOf(scope, url) };
  scope.teardown(async () => {
    const { client, prefix } = server;
    for await (const keys of client.scanStream({ match: `*${prefix}*`, count: 1000 })) {
      if (keys.length > 0) await client.del(...keys);
    }
  });
  await server.client.connect();
  return server;
};

/** @throws Error REDIS_MISSING where there is no `redis-server` on PATH. */
export const startOwnRedis = async (
  scope: Scope,
  { appendOnly = false }: { appendOnly?: boolean } = {},
): Promise<OwnRedisServer> => {
  const folder = mkdtempSync(`${tmpdir()}/perilune-redis-`);
  scope.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const args = [
    ['--port', String(port)],
    ['--bind', '127.0.0.1'],
    ['--dir', folder],
    ['--save', ''],
    ['--appendonly', appendOnly ? 'yes' : 'no'],
    ['--appendfsync', 'always'],
  ].flat();
  let child: Child;
  const begin = async (client: Redis): Promise<void> => {
    child = startChild(scope, 'redis-server', args);
    await poll(`redis answers at ${url}`, async () => {
      const exit = child.exit();
      if (exit?.code === 127) return 'missing';
      if (exit !== undefined) throw new Error(`redis-server has ended\n${child.output()}`);
      if (client.status === 'wait') await client.connect();
      return (await client.ping()) === 'PONG';
    }).then((answer) => {
      if (answer === 'missing') throw new Error(REDIS_MISSING);
    });
  };
  const client = clientOf(scope, url);
  await begin(client);
  return {
    url,
    prefix: newPrefix(),
    client,
    async kill() {
      child.signal('SIGKILL');
      await child.exited;
    },
    signal: (name) => child.signal(name),
    restart: () => begin(client),
  };
};

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Cluster, Redis } from 'ioredis';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { poll } from './poll.ts';
import { REDIS_MISSING } from './redis.ts';
import type { Scope } from './teardown.ts';

/** Primaries of a Redis Cluster of a test's own, without replicas. */
export interface RedisCluster {
  /** Of one of its nodes. */
  readonly url: string;
  /** Begins every key of this test. */
  readonly prefix: string;
  /** For looking at what the program has written. */
  readonly client: Cluster;
  /** Ends one node (SIGKILL), and starts it again on its port and files. */
  kill(index: number): Promise<void>;
  /** Resolves when all nodes are one cluster again; `alone`: as soon as it answers. */
  restart(index: number, options?: { readonly alone?: boolean }): Promise<void>;
}

const SLOTS = 16_384;
const HOST = '127.0.0.1';

/** @throws Error REDIS_MISSING where there is no `redis-server` on PATH. */
export const startRedisCluster = async (scope: Scope, size = 3): Promise<RedisCluster> => {
  const folder = mkdtempSync(`${tmpdir()}/perilune-redis-cluster-`);
  scope.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  const nodes: { readonly port: number; readonly bus: number; child?: Child; readonly redis: Redis }[] = [];
  for (let i = 0; i < size; i += 1) {
    const port = await freePort();
    const redis = new Redis({ host: HOST, port, lazyConnect: true, retryStrategy: () => 50 });
    redis.on('error', () => {}); // a killed node is what some tests are about
    scope.teardown(() => redis.disconnect());
    nodes.push({ port, bus: await freePort(), redis });
  }
  const start = async (index: number): Promise<void> => {
    const node = nodes[index];
    if (node === undefined) throw new Error(`no node ${index}`);
    const args = [
      ['--port', String(node.port)],
      ['--bind', HOST],
      ['--dir', folder],
      ['--save', ''],
      ['--appendonly', 'yes'],
      ['--appendfilename', `node-${index}.aof`],
      ['--appenddirname', `node-${index}`],
      ['--cluster-enabled', 'yes'],
      ['--cluster-port', String(node.bus)],
      ['--cluster-config-file', `node-${index}.conf`],
      ['--cluster-node-timeout', '2000'],
      ['--cluster-require-full-coverage', 'no'],
    ].flat();
    const child = startChild(scope, 'redis-server', args);
    node.child = child;
    const answer = await poll(`node ${index} answers`, async () => {
      const exit = child.exit();
      if (exit?.code === 127) return 'missing';
      if (exit !== undefined) throw new Error(`redis-server has ended\n${child.output()}`);
      if (node.redis.status === 'wait') await node.redis.connect();
      return (await node.redis.ping()) === 'PONG';
    });
    if (answer === 'missing') throw new Error(REDIS_MISSING);
  };
  const allAgree = () =>
    poll('every node knows the whole cluster', async () => {
      const infos = await Promise.all(nodes.map(({ redis }) => redis.cluster('INFO')));
      return infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`));
    });
  for (const [index, { redis }] of nodes.entries()) {
    await start(index);
    const first = Math.floor((index * SLOTS) / size);
    const last = Math.floor(((index + 1) * SLOTS) / size) - 1;
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
    const [{ port, bus } = { port: 0, bus: 0 }] = nodes;
    if (index > 0) await redis.call('CLUSTER', 'MEET', HOST, String(port), String(bus));
  }
  await allAgree();
  const client = new Cluster(nodes.map(({ port }) => ({ host: HOST, port })));
  client.on('error', () => {});
  scope.teardown(() => client.disconnect());
  return {
    url: `redis://${HOST}:${nodes[0]?.port}`,
    prefix: `test-${randomUUID()}:`,
    client,
    async kill(index) {
      const child = nodes[index]?.child;
      child?.signal('SIGKILL');
      await child?.exited;
    },
    async restart(index, { alone = false } = {}) {
      await start(index);
      if (!alone) await allAgree();
    },
  };
};

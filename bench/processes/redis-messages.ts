import { setTimeout as wait } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { rootContext } from '../../runtime/context.ts';
import { LuaTable } from '../../runtime/lua/values.ts';
import { QUEUES } from '../../services/queue/port.ts';
import { answer } from './answer.ts';
import { startProgram } from './program.ts';

const MESSAGES = 5000;
/** Publishes under way at once, the same on both sides. */
const PUBLISHERS = 50;
const CONCURRENCY = 50;

const [side, url = '', endpoint = ''] = process.argv.slice(2);
const { hostname: host, port } = new URL(url);

interface Side {
  publish(): Promise<unknown> | undefined;
  /** Nothing waits and nothing is worked on. */
  isDone(): Promise<boolean>;
}

const ours = async (): Promise<Side> => {
  const queues = (await startProgram('jobs-redis', 'unsampled', endpoint, { BENCH_REDIS_URL: url })).use(QUEUES);
  const redis = new Redis(url);
  const body = new LuaTable();
  body.map.set('quantity', 3);
  body.map.set('price', 7);
  return {
    publish: () => queues.publish('bench:jobs', body, {}, rootContext) as Promise<void>,
    // A settled message is deleted: an empty stream is the end of all of them.
    isDone: async () => (await redis.xlen('perilune:jobs')) === 0,
  };
};

const bullmq = async (): Promise<Side> => {
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue('jobs', { connection });
  const work = async ({ data }: { data: { quantity: number; price: number } }): Promise<number> =>
    data.quantity * data.price;
  const worker = new Worker('jobs', work, { connection, concurrency: CONCURRENCY });
  await worker.waitUntilReady();
  // Kept for nobody, as with us: completed jobs are removed.
  const options = { removeOnComplete: true };
  return {
    publish: () => queue.add('job', { quantity: 3, price: 7 }, options),
    async isDone() {
      const counts = await queue.getJobCounts('wait', 'active');
      return counts.wait === 0 && counts.active === 0;
    },
  };
};

const { publish, isDone } = await (side === 'ours' ? ours() : bullmq());

/** Messages per second, from the first publish until the last is settled. */
answer(async () => {
  const start = performance.now();
  let left = MESSAGES;
  const publisher = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await publish();
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publisher));
  while (!(await isDone())) await wait(2); // asking is work for Redis too: seldom, on both sides
  return (MESSAGES * 1000) / (performance.now() - start);
});

import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { byTurns } from '../measure.ts';
import { startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import { startBenchRedis } from '../processes/redis-server.ts';
import type { Row } from '../row.ts';

/** Messages per second through a queue on Redis, concurrency 50, from published to settled: metered Lua beside bare BullMQ. */
export const queueRedis: Row = {
  name: 'queue.redis',
  unit: 'msg/s',
  better: 'higher',
  atLeast: { bullmq: 1.5 },
  isGated: false, // Redis and its client take a processor each: with other work beside them this shows the machine
  async measure() {
    const redis = await startBenchRedis();
    const collector = await startCollector();
    const stderr = openSync(devNull, 'w'); // the program's own lines, about its start
    const start = (side: string) =>
      startChild('redis-messages', [side, redis.url, collector.endpoint('ours')], { stderr });
    const children = { ours: await start('ours'), bullmq: await start('bullmq') };
    try {
      const sides = Object.entries(children).map(([name, child]) => [name, () => child.ask<number>('round')] as const);
      return await byTurns(Object.fromEntries(sides), { rounds: 5, warmUps: 2 });
    } finally {
      for (const child of Object.values(children)) await child.stop();
      await collector.stop();
      await redis.stop();
    }
  },
};

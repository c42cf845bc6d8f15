import { setTimeout as wait } from 'node:timers/promises';
import { t as root } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { redisDriver } from '../../../services/queue/redis/driver.ts';
import { startRedis } from '../../harness/redis.ts';
import { queueContract } from './contract.ts';

const server = await startRedis(root);
const clock = systemClock();
let drivers = 0;

queueContract('redis', {
  make() {
    drivers += 1;
    return redisDriver(clock, {
      link: { clock, name: 'test', url: () => server.url, connectTimeoutMs: 10_000 },
      prefix: `${server.prefix}${drivers}:`,
      group: 'perilune',
      visibilityMs: 30_000,
      onFailure: (reason) => root.comment(reason),
    });
  },
  wall: clock.wall,
  pass: (ms) => wait(ms),
  refusesNack: false,
});

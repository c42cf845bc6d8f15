import type { Clock } from '../../../runtime/clock.ts';
import { type LinkOptions, type RedisLink, redisLink } from '../../../runtime/redis/link.ts';
import type { DriverQueue, QueueDriver } from '../driver.ts';
import { Backlog } from './backlog.ts';
import { queueKeys } from './keys.ts';
import type { QueuePlace } from './place.ts';
import { type RedisQueue, redisQueue } from './queue.ts';

export interface RedisDriverOptions {
  readonly link: LinkOptions;
  readonly prefix: string;
  readonly group: string;
  readonly visibilityMs: number;
  /** Something failed that is tried again, and that no caller hears of. */
  readonly onFailure: (reason: string) => void;
}

/** Queues on Redis Streams, each with one consumer group for all machines that run the app (extensions.md, section 3). */
export const redisDriver = (clock: Clock, options: RedisDriverOptions): QueueDriver => {
  const link: RedisLink = redisLink(options.link);
  const queues = new Map<DriverQueue, RedisQueue>();
  let running = false;
  const placeOf = (queue: DriverQueue): QueuePlace | undefined => queues.get(queue)?.place;
  return {
    system: 'redis',
    kind: 'redis',
    queue({ name, maxLength = 0, idempotencyWindowMs }) {
      const queue = redisQueue(
        {
          clock,
          link,
          keys: queueKeys(options.prefix, name),
          group: options.group,
          visibilityMs: options.visibilityMs,
          maxLength,
          backlog: new Backlog(),
        },
        { idempotencyWindowMs, isRunning: () => running, placeOf, onFailure: options.onFailure },
      );
      queues.set(queue, queue);
      return queue;
    },
    async start() {
      await link.start();
      running = true;
      await Promise.all([...queues.values()].map((queue) => queue.start()));
    },
    async stop() {
      running = false;
      await Promise.all([...queues.values()].map((queue) => queue.stop()));
      link.stop();
    },
  };
};

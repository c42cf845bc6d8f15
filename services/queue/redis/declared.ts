import type { Declared } from '../../../runtime/entry.ts';
import type { Env } from '../../../runtime/env.ts';
import type { LinkWatch } from '../../../runtime/redis/link.ts';
import { redisUrlIn, redisWatch } from '../../redis/port.ts';
import type { QueueDriver } from '../driver.ts';
import type { RedisDriverConfig } from '../kinds.ts';
import { redisDriver } from './driver.ts';

/** The driver of a `queue.driver.redis` of the running app; its health and its lines tell of the connection. */
export const declaredRedisDriver = (env: Env, declared: Declared<RedisDriverConfig>): QueueDriver => {
  const { id, config } = declared;
  const health = env.health(id);
  const logger = env.logger.subsystem('queue');
  const connection = redisWatch(env, id, 'queue');
  let isLost = false;
  /** What was said last: one line an episode, however often it is tried again. */
  let said = '';
  const watch: LinkWatch = {
    lost(reason) {
      isLost = true;
      connection.lost(reason);
    },
    back() {
      isLost = false;
      said = '';
      connection.back();
    },
  };
  return redisDriver(env.clock, {
    link: {
      clock: env.clock,
      name: `perilune ${id}`,
      url: () => redisUrlIn(env, declared),
      watch,
      connectTimeoutMs: config.lifecycle.start_timeout,
    },
    prefix: config.prefix,
    group: config.group,
    visibilityMs: config.visibility_timeout,
    onFailure(reason) {
      if (isLost) return; // told by the watch
      health.error('read');
      if (reason === said) return;
      said = reason;
      logger.warn('queue driver has trouble, trying again', { component: id, error: reason });
    },
  });
};

import { z } from 'zod';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions, type Lifecycle, lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { redisLink } from '../../runtime/redis/link.ts';
import { duration, nonNegativeInt } from '../../runtime/schema-fields.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { checkRedisUrl, redisUrlFields, redisUrlIn, redisWatch } from '../redis/port.ts';
import { operationGuard } from '../security/port.ts';
import type { StoreBackend } from './backend.ts';
import { memoryBackend } from './memory.ts';
import { storeClass, storeModule } from './module.ts';
import { STORES, type Store } from './port.ts';
import { redisBackend } from './redis.ts';
import { storeSites } from './sites.ts';

const DEFAULT_MAX_SIZE = 10_000;

/** `store.memory` (declarations.md, section 7). */
const storeMemory = z.object({
  max_size: nonNegativeInt('max size must be non-negative')
    .default(DEFAULT_MAX_SIZE)
    .transform((size) => (size === 0 ? DEFAULT_MAX_SIZE : size)),
  cleanup_interval: duration({ negative: 'cleanup interval must be non-negative' }).default(300_000),
  lifecycle: lifecycleSchema,
});

/** `store.redis` (extensions.md, section 4). */
const storeRedis = z
  .object({ ...redisUrlFields, prefix: z.string().optional(), lifecycle: lifecycleSchema })
  .superRefine(checkRedisUrl);

const memoryStore = (env: Env, { config }: Declared<z.output<typeof storeMemory>>): StoreBackend =>
  memoryBackend(env.clock, { maxSize: config.max_size, cleanupIntervalMs: config.cleanup_interval });

const redisStore = (env: Env, declared: Declared<z.output<typeof storeRedis>>): StoreBackend => {
  const { id, config } = declared;
  const link = redisLink({
    clock: env.clock,
    name: `perilune ${id}`,
    url: () => redisUrlIn(env, declared),
    watch: redisWatch(env, id, 'kv'),
    connectTimeoutMs: config.lifecycle.start_timeout,
  });
  return redisBackend(link, config.prefix ?? `${id}:`);
};

/** Declares every store of the app with its sites; a store answers from its component's start on. */
const build = (env: Env): readonly Component[] => {
  const stores = new Map<string, Store>();
  const components: Component[] = [];
  const declare = <T extends { lifecycle: Lifecycle }>(
    kind: string,
    backendOf: (env: Env, declared: Declared<T>) => StoreBackend,
  ): void => {
    for (const declared of env.registry.declared<T>(kind)) {
      const { id, config } = declared;
      const backend = backendOf(env, declared);
      stores.set(id, storeSites(env, id, backend));
      components.push({
        name: id,
        ...componentOptions(config.lifecycle),
        start: () => backend.start(),
        stop: () => backend.stop(),
      });
    }
  };
  declare('store.memory', memoryStore);
  declare('store.redis', redisStore);
  env.provide(STORES, { get: (id) => stores.get(id) });
  const allows = operationGuard(env.settings);
  env.engine.defineClass(storeClass(allows));
  env.engine.define(storeModule(stores, env.registry, allows));
  return components;
};

export const kvSurface: Surface = {
  name: 'kv',
  kinds: {
    'store.memory': entryKind({ schema: storeMemory }),
    'store.redis': entryKind({ schema: storeRedis }),
  },
  modules: ['store'],
  sites: ({ kind }, { settings }) =>
    kind === 'store.memory' || kind === 'store.redis'
      ? { isMeasured: true, hasSpan: settings.spans.kv, hasLine: true }
      : undefined,
  build,
};

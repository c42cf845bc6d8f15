import { z } from 'zod';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { invalid, messageOf } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions, type Lifecycle, lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { redisLink } from '../../runtime/redis/link.ts';
import { duration, nonNegativeInt, required } from '../../runtime/schema-fields.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { checkRedisUrl, redisUrlFields, redisUrlIn, redisWatch } from '../redis/port.ts';
import { operationGuard } from '../security/port.ts';
import { DATABASES } from '../sql/port.ts';
import type { StoreBackend } from './backend.ts';
import { memoryBackend } from './memory.ts';
import { storeClass, storeModule } from './module.ts';
import { type RedisPlace, STORES, type Store, type Stores } from './port.ts';
import { redisBackend } from './redis.ts';
import { storeSites } from './sites.ts';
import { sqlBackend } from './sql.ts';
import { isColumnName, isTableName } from './sql-names.ts';

const STORE_KINDS: ReadonlySet<string> = new Set(['store.memory', 'store.redis', 'store.sql']);
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

const columnName = (what: string, name: string) =>
  z
    .string()
    .default(name)
    .refine(isColumnName, { error: `${what} contains invalid characters` });

/** `store.sql` (declarations.md, section 7). */
const storeSql = z.object({
  database: required('database ID is required'),
  table_name: required('table name is required').refine((name) => name === '' || isTableName(name), {
    error: 'table name contains invalid characters',
  }),
  id_column_name: columnName('id column name', 'key'),
  payload_column_name: columnName('payload column name', 'value'),
  expire_column_name: columnName('expire column name', 'expires_at'),
  cleanup_interval: duration({ negative: 'cleanup interval must be non-negative' }).default(0),
  lifecycle: lifecycleSchema,
});

const memoryStore = (env: Env, { config }: Declared<z.output<typeof storeMemory>>): StoreBackend =>
  memoryBackend(env.clock, { maxSize: config.max_size, cleanupIntervalMs: config.cleanup_interval });

const redisPlace = (env: Env, declared: Declared<z.output<typeof storeRedis>>): RedisPlace => {
  const { id, config } = declared;
  const link = redisLink({
    clock: env.clock,
    name: `perilune ${id}`,
    url: () => redisUrlIn(env, declared),
    watch: redisWatch(env, id, 'kv'),
    connectTimeoutMs: config.lifecycle.start_timeout,
  });
  return { link, prefix: config.prefix ?? `${id}:` };
};

const sqlStore = (env: Env, { id, config }: Declared<z.output<typeof storeSql>>): StoreBackend =>
  sqlBackend(env.clock, {
    id,
    type: env.registry.get(config.database)?.kind === 'db.sql.postgres' ? 'postgres' : 'sqlite',
    database() {
      const database = env.find(DATABASES)?.get(config.database);
      if (database === undefined) throw invalid(`${id}: ${config.database} is no database of this program`);
      return database;
    },
    table: {
      name: config.table_name,
      key: config.id_column_name,
      value: config.payload_column_name,
      expiry: config.expire_column_name,
    },
    cleanupIntervalMs: config.cleanup_interval,
    tableMissing: (error) =>
      env.logger.subsystem('kv').warn('the store has no table yet', { store: id, error: error.message }),
    sweepFailed: (error) =>
      env.logger.subsystem('kv').warn('expired entries cannot be removed', { store: id, error: messageOf(error) }),
  });

/** Declares every store of the app with its sites; a store answers from its component's start on. */
const build = (env: Env): readonly Component[] => {
  const stores = new Map<string, Store>();
  const places = new Map<string, RedisPlace>();
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
  declare<z.output<typeof storeRedis>>('store.redis', (_env, declared) => {
    const place = redisPlace(env, declared);
    places.set(declared.id, place);
    return redisBackend(declared.id, place.link, place.prefix);
  });
  declare('store.sql', sqlStore);
  const port: Stores = { get: (id) => stores.get(id), redis: (id) => places.get(id) };
  env.provide(STORES, port);
  const allows = operationGuard(env.settings);
  env.engine.defineClass(storeClass(allows));
  env.engine.define(storeModule(port, env.registry, allows));
  return components;
};

export const kvSurface: Surface = {
  name: 'kv',
  kinds: {
    'store.memory': entryKind({ schema: storeMemory }),
    'store.redis': entryKind({ schema: storeRedis }),
    'store.sql': entryKind({
      schema: storeSql,
      references: [{ path: 'database', kinds: ['db.sql.sqlite', 'db.sql.postgres'] }],
    }),
  },
  modules: ['store'],
  sites: ({ kind }, { settings }) =>
    STORE_KINDS.has(kind) ? { isMeasured: true, hasSpan: settings.spans.kv, hasLine: true } : undefined,
  build,
};

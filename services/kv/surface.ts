import { z } from 'zod';
import type { Env } from '../../runtime/env.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions, lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt } from '../../runtime/schema-fields.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { operationGuard } from '../security/port.ts';
import { memoryBackend } from './memory.ts';
import { storeClass, storeModule } from './module.ts';
import { STORES, type Store } from './port.ts';
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

/** Declares every store of the app with its sites; a store answers from its component's start on. */
const build = (env: Env): readonly Component[] => {
  const stores = new Map<string, Store>();
  const components: Component[] = [];
  for (const { id, config } of env.registry.declared<z.output<typeof storeMemory>>('store.memory')) {
    const backend = memoryBackend(env.clock, {
      maxSize: config.max_size,
      cleanupIntervalMs: config.cleanup_interval,
    });
    stores.set(id, storeSites(env, id, backend));
    components.push({
      name: id,
      ...componentOptions(config.lifecycle),
      start: () => backend.start(),
      stop: () => backend.stop(),
    });
  }
  env.provide(STORES, { get: (id) => stores.get(id) });
  const allows = operationGuard(env.settings);
  env.engine.defineClass(storeClass(allows));
  env.engine.define(storeModule(stores, env.registry, allows));
  return components;
};

export const kvSurface: Surface = {
  name: 'kv',
  kinds: { 'store.memory': entryKind({ schema: storeMemory }) },
  modules: ['store'],
  sites: ({ kind }, { settings }) =>
    kind === 'store.memory' ? { isMeasured: true, hasSpan: settings.spans.kv, hasLine: true } : undefined,
  build,
};

import type { Env } from '../../runtime/env.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { operationGuard } from '../security/port.ts';
import { changeConsumer } from './consumer.ts';
import {
  type ConsumerConfig,
  cdcConsumer,
  cdcPostgres,
  cdcSqlite,
  type PostgresConfig,
  type SqliteConfig,
} from './kinds.ts';
import { cdcModule } from './module.ts';
import { CDC } from './port.ts';
import { postgresSource } from './postgres/source.ts';
import type { CdcSource } from './source.ts';
import { sqliteSource } from './sqlite/source.ts';
import { streamClass } from './stream.ts';

const SOURCE_KINDS = ['db.cdc.postgres', 'db.cdc.sqlite'];

const build = (env: Env): readonly Component[] => {
  const { engine, registry, settings } = env;
  const components: Component[] = [];
  const postgres = registry
    .declared<PostgresConfig>('db.cdc.postgres')
    .map((declared) => postgresSource(env, declared));
  const sqlite = registry.declared<SqliteConfig>('db.cdc.sqlite').map((declared) => sqliteSource(env, declared));
  const all = [...postgres, ...sqlite].sort((a, b) => (a.source.id < b.source.id ? -1 : 1));
  const sources: readonly CdcSource[] = all.map(({ source }) => source);
  components.push(...all.map(({ component }) => component));
  for (const declared of registry.declared<ConsumerConfig>('cdc.consumer')) {
    const source = sources.find(({ id }) => id === declared.config.source);
    if (source !== undefined) components.push(changeConsumer(env, declared, source));
  }
  env.provide(CDC, {
    reads: (identity) => postgres.some((one) => one.identity() === identity),
  });
  engine.defineClass(streamClass);
  engine.define(
    cdcModule({
      sources,
      engine,
      allows: operationGuard(settings),
      // The slot's name too, which is what programs of the older interface know.
      find: (name) =>
        sources.find(({ id }) => id === name) ?? sources.find((one) => one.name === name || one.slot === name),
    }),
  );
  return components;
};

/** `db.cdc.postgres`, `db.cdc.sqlite`, `cdc.consumer` (declarations.md, section 10; extensions.md, section 5) and the module `cdc`. */
export const cdcSurface: Surface = {
  name: 'cdc',
  kinds: {
    'db.cdc.postgres': entryKind({ schema: cdcPostgres }),
    'db.cdc.sqlite': entryKind({
      schema: cdcSqlite,
      references: [{ path: 'db_resource', kinds: ['db.sql.sqlite'] }],
    }),
    'cdc.consumer': entryKind({
      schema: cdcConsumer,
      references: [
        { path: 'source', kinds: SOURCE_KINDS },
        { path: 'func', kinds: ['function.lua'] },
        { path: 'queue', kinds: ['queue.queue'] },
        { path: 'dead_letter.queue', kinds: ['queue.queue'], startsAfter: false },
      ],
    }),
  },
  modules: ['cdc'],
  sites({ kind }, { settings }) {
    if (kind !== 'cdc.consumer') return undefined;
    return { isMeasured: true, hasLine: true, hasOptions: true, hasSpan: settings.spans.cdc };
  },
  build,
};

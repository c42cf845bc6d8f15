import type { Env } from '../../runtime/env.ts';
import type { CallError } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions, type Lifecycle } from '../../runtime/lifecycle-schema.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { postgresAddressIn } from '../postgres/port.ts';
import { operationGuard } from '../security/port.ts';
import { builderClasses } from './builder/classes.ts';
import { dbClass, statementClass, transactionClass } from './classes.ts';
import { createDatabase } from './database.ts';
import type { SqlBackend } from './driver.ts';
import { type PostgresConfig, postgres, type SqliteConfig, sqlite } from './kinds.ts';
import { sqlModule } from './module.ts';
import { DATABASES, type Database, type TransactionMark } from './port.ts';
import { postgresBackend } from './postgres/backend.ts';
import { traceMarks } from './postgres/trace-marks.ts';
import { sqliteBackend } from './sqlite/backend.ts';
import { createExitGuard, type ExitGuard } from './sqlite/exit-guard.ts';
import { typedValueClass } from './values.ts';

/** What waits inside a stop ends before the stop itself is given up. */
const PART_OF_STOP = 0.8;
/** A start that fails by itself says more than one that has run out of time. */
const PART_OF_START = 0.9;

interface Declared {
  readonly id: string;
  readonly backend: SqlBackend;
  readonly lifecycle: Lifecycle;
  /** Asked at the begin of each transaction. */
  readonly mark?: () => TransactionMark | undefined;
}

const declaredDatabases = (env: Env, exitGuard: ExitGuard): readonly Declared[] => [
  ...env.registry.declared<SqliteConfig>('db.sql.sqlite').map(({ id, config }) => ({
    id,
    lifecycle: config.lifecycle,
    backend: sqliteBackend(env.clock, {
      id,
      file: config.file,
      root: env.settings.root,
      acquireTimeoutMs: config.pool.acquire_timeout,
      busyTimeoutMs: config.pool.busy_timeout,
      stopTimeoutMs: config.lifecycle.stop_timeout * PART_OF_STOP,
      exitGuard,
    }),
  })),
  ...env.registry.declared<PostgresConfig>('db.sql.postgres').map((declared) => {
    const { id, config } = declared;
    const backend = postgresBackend(env.clock, {
      id,
      address: () => postgresAddressIn(env, declared),
      options: config.options,
      root: env.settings.root,
      maxOpen: config.pool.max_open,
      maxIdle: config.pool.max_idle,
      maxLifetimeMs: config.pool.max_lifetime,
      acquireTimeoutMs: config.pool.acquire_timeout,
      startTimeoutMs: config.lifecycle.start_timeout * PART_OF_START,
      stopTimeoutMs: config.lifecycle.stop_timeout * PART_OF_STOP,
    });
    return { id, lifecycle: config.lifecycle, backend, mark: traceMarks(env, config.trace_marks, backend.identity) };
  }),
];

/** Declares every database of the app with its sites; one answers from its component's start on. */
const build = (env: Env): readonly Component[] => {
  const databases = new Map<string, Database>();
  const components: Component[] = [];
  for (const { id, backend, lifecycle, mark } of declaredDatabases(env, createExitGuard())) {
    let isRunning = false;
    databases.set(id, createDatabase(env, id, backend, { isRunning: () => isRunning, mark }));
    components.push({
      name: id,
      ...componentOptions(lifecycle),
      async start(life) {
        await backend.start((error: CallError) => {
          isRunning = false;
          life?.ended(error);
        });
        isRunning = true;
      },
      async stop() {
        isRunning = false;
        await backend.stop();
      },
    });
  }
  const port = { get: (id: string) => databases.get(id) };
  env.provide(DATABASES, port);
  for (const type of [dbClass, statementClass, transactionClass, typedValueClass, ...builderClasses]) {
    env.engine.defineClass(type);
  }
  env.engine.define(sqlModule(port, env.registry, operationGuard(env.settings)));
  return components;
};

/** `db.sql.sqlite`, `db.sql.postgres` (declarations.md, section 8) and the module `sql`. */
export const sqlSurface: Surface = {
  name: 'sql',
  kinds: { 'db.sql.sqlite': entryKind({ schema: sqlite }), 'db.sql.postgres': entryKind({ schema: postgres }) },
  modules: ['sql'],
  sites({ kind }, { settings }) {
    if (kind !== 'db.sql.sqlite' && kind !== 'db.sql.postgres') return undefined;
    return { isMeasured: true, hasSpan: settings.spans.sql, hasLine: true };
  },
  build,
};

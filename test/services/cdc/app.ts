import { type InProcess, type InProcessOptions, programIn } from '../../harness/in-process.ts';
import type { Postgres } from '../../harness/postgres.ts';
import type { Scope } from '../../harness/teardown.ts';

/** The part of tap's `t` that makes folders. */
interface Folders extends Scope {
  testdir(files: Record<string, string>): string;
}

/** The connection keys of a `db.cdc.postgres`. */
export const connectionOf = ({ host, port, database, username, password }: Postgres) => ({
  host,
  port,
  database,
  username,
  password,
  options: { sslmode: 'disable' },
});

/** A function whose handler is this Lua body; its arguments are `...`. */
export const handler = (name: string, body: string) => ({
  name,
  kind: 'function.lua',
  method: 'main',
  source: `local seen = 0 return function(...) ${body} end`,
  modules: ['cdc', 'events', 'logger', 'time', 'json', 'queue', 'funcs'],
  pool: { type: 'inline', size: 64 },
});

/** A source that is the app's only one, quick to come back. */
export const source = (postgres: Postgres, more: object = {}) => ({
  name: 'orders',
  kind: 'db.cdc.postgres',
  ...connectionOf(postgres),
  slot_name: `slot_${postgres.database}`.toLowerCase(),
  tables: ['orders'],
  lifecycle: { auto_start: true, start_timeout: '60s', restart: { initial_delay: '50ms', max_delay: '500ms' } },
  ...more,
});

export const consumer = (more: object = {}) => ({
  name: 'consumer',
  kind: 'cdc.consumer',
  source: 'orders',
  func: 'handle',
  lifecycle: { auto_start: true },
  ...more,
});

export const appFolder = (t: Folders, entries: readonly object[]): string =>
  t.testdir({ '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }) });

export const cdcApp = (t: Folders, entries: readonly object[], options?: InProcessOptions): Promise<InProcess> =>
  programIn(t, appFolder(t, entries), options);

/** Log lines of Lua with this text: what handlers note with `logger:info(text, fields)`. */
export const noted = (program: InProcess, text: string): readonly Readonly<Record<string, unknown>>[] =>
  program.lines().filter(({ msg }) => msg === text);

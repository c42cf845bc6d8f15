import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Scope } from '../../harness/teardown.ts';
import { CONTRACT_TABLES, type SourceUnderTest } from './contract.ts';

/** Where there is no file yet. Not in tap's folder, which each app of a test begins anew. */
export const databaseFile = (scope: Scope): string => {
  const folder = mkdtempSync(join(tmpdir(), 'perilune-cdc-'));
  scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'shop.db');
};

/** The source `app:orders` over a file, and `app:sql`, which runs a text there as the app does. */
export const sqliteEntries = (file: string, more: object = {}): readonly object[] => [
  { name: 'shop', kind: 'db.sql.sqlite', file, lifecycle: { auto_start: true } },
  {
    name: 'orders',
    kind: 'db.cdc.sqlite',
    db_resource: 'shop',
    lifecycle: { auto_start: true, restart: { initial_delay: '50ms', max_delay: '500ms' } },
    ...more,
  },
  {
    name: 'sql',
    kind: 'function.lua',
    method: 'main',
    modules: ['sql'],
    source: `return function(text) assert(assert(sql.get('app:shop')):execute(text)) end`,
  },
];

/** For the contract of all sources. */
export const sqliteUnderTest =
  (isDurable: boolean) =>
  async (scope: Scope): Promise<SourceUnderTest> => {
    const file = databaseFile(scope);
    const beside = new DatabaseSync(file, { timeout: 10_000 });
    beside.exec(`PRAGMA journal_mode = WAL; ${CONTRACT_TABLES}`);
    scope.teardown(() => beside.close());
    return {
      entries: (more) => sqliteEntries(file, { durable: isDurable, tables: ['orders', 'other'], ...more }),
      prepare: async (text) => beside.exec(text),
      // A durable one sees other programs: here it sees nothing else.
      run: async (program, text) => (isDurable ? beside.exec(text) : program.call('app:sql', [text])),
      label: 'app:orders',
      schema: 'main',
      relation: 'orders',
      number: (value) => value,
      eventSystem: 'sqlite_cdc',
      collection: 'app:shop',
      system: 'sqlite',
    };
  };

import { DatabaseSync } from 'node:sqlite';
import { t as root, type Test } from 'tap';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { source } from './app.ts';
import { type SourceUnderTest, sourceContract } from './contract.ts';
import { databaseFile, sqliteEntries } from './sqlite-app.ts';

const TABLES = 'CREATE TABLE orders (id integer PRIMARY KEY, name text); CREATE TABLE other (id integer PRIMARY KEY)';

const server = await startPostgres(root);

const onPostgres = async (): Promise<SourceUnderTest> => {
  if (server === undefined) throw new Error(POSTGRES_MISSING);
  const postgres = await server.createDatabase('contract');
  await postgres.run(TABLES);
  return {
    entries: (more) => [source(postgres, { tables: ['orders', 'other'], ...more })],
    prepare: (text) => postgres.run(text),
    run: (_program, text) => postgres.run(text),
    label: `slot_${postgres.database}`.toLowerCase(),
    schema: 'public',
    relation: 'public.orders',
    number: String,
    eventSystem: 'postgres_cdc',
    collection: postgres.database,
    system: 'postgresql',
  };
};

const onSqlite =
  (isDurable: boolean) =>
  async (t: Test): Promise<SourceUnderTest> => {
    const file = databaseFile(t);
    const beside = new DatabaseSync(file, { timeout: 10_000 });
    beside.exec(`PRAGMA journal_mode = WAL; ${TABLES}`);
    t.teardown(() => beside.close());
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

sourceContract('postgres', onPostgres, server === undefined && POSTGRES_MISSING);
sourceContract('sqlite', onSqlite(false));
sourceContract('sqlite, durable', onSqlite(true));

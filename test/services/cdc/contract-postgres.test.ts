import { t as root } from 'tap';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { source } from './app.ts';
import { CONTRACT_TABLES, type SourceUnderTest, sourceContract } from './contract.ts';

const server = await startPostgres(root);

const onPostgres = async (): Promise<SourceUnderTest> => {
  if (server === undefined) throw new Error(POSTGRES_MISSING);
  const postgres = await server.createDatabase('contract');
  await postgres.run(CONTRACT_TABLES);
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

sourceContract('postgres', onPostgres, server === undefined && POSTGRES_MISSING);

import { Client, type ClientConfig } from 'pg';
import { type PublishedTable, quoted } from './database.ts';

export interface SnapshotRequest {
  readonly config: ClientConfig;
  /** As `CREATE_REPLICATION_SLOT` has exported it: it lives as long as that connection does nothing else. */
  readonly name: string;
  readonly tables: readonly PublishedTable[];
  readonly fetchSize: number;
  readonly row: (table: PublishedTable, row: Readonly<Record<string, string | null>>) => void | Promise<void>;
  readonly signal: AbortSignal;
}

const DEFAULT_FETCH = 1000;

/** Values as the server writes them, whatever their type. */
const asText = { getTypeParser: () => (text: string) => text };

/** Reads what the tables held at the moment of the snapshot. @throws Error of the server, or the reason of the signal. */
export const readSnapshot = async ({
  config,
  name,
  tables,
  fetchSize,
  row,
  signal,
}: SnapshotRequest): Promise<void> => {
  const client = new Client({ ...config, types: asText });
  let broken: Error | undefined;
  client.on('error', (error) => {
    broken = error; // the query that runs fails with it
  });
  await client.connect();
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET TRANSACTION SNAPSHOT '${name.replaceAll("'", "''")}'`);
    for (const table of tables) {
      const where = table.rowFilter === undefined ? '' : ` WHERE ${table.rowFilter}`;
      const columns = table.columns.map(quoted).join(', ');
      const from = `${quoted(table.schema)}.${quoted(table.name)}`;
      await client.query(`DECLARE perilune_rows NO SCROLL CURSOR FOR SELECT ${columns} FROM ${from}${where}`);
      for (;;) {
        const { rows } = await client.query(`FETCH ${fetchSize || DEFAULT_FETCH} FROM perilune_rows`);
        for (const one of rows) {
          signal.throwIfAborted();
          await row(table, one);
        }
        if (rows.length === 0) break;
      }
      await client.query('CLOSE perilune_rows');
    }
    await client.query('COMMIT');
  } finally {
    if (broken === undefined) await client.end();
  }
};

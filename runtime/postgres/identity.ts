import type { ClientBase } from 'pg';
import type { PostgresAddress } from './options.ts';

/**
 * A text that is the same for all who are connected to one database, under whatever name: the identifier that the server's data
 * were given when they were made, and the database's name. Where the server does not tell it, the address stands for it.
 */
export const databaseIdentity = async (client: ClientBase, { host, port }: PostgresAddress): Promise<string> => {
  const identify = async (server: string): Promise<string> => {
    const { rows } = await client.query<{ id: string }>(`SELECT ${server} || '/' || current_database() AS id`);
    return String(rows[0]?.id);
  };
  try {
    return await identify('(SELECT system_identifier::text FROM pg_control_system())');
  } catch {
    // Some providers keep it to themselves, some relatives of PostgreSQL have none. A connection that broke fails once more.
    return await identify(`'${host.replaceAll("'", "''")}:${port}'`);
  }
};

import type { Connection, PoolClient } from 'pg';

/** Statement names to texts, as the driver keeps them of a connection. */
export type ParsedStatements = Record<string, string>;

/**
 * Has the server parse a statement and keep it under a name, without running it; the driver knows only how to do both. What it
 * expects of a thing to submit are these handlers (pg, lib/client.js).
 */
export const parseStatement = (
  client: PoolClient,
  parsed: ParsedStatements,
  name: string,
  text: string,
): Promise<void> =>
  new Promise((resolve, reject) => {
    client.query({
      name,
      text,
      submit(connection: Connection) {
        connection.parse({ name, text, types: [] }, true);
        connection.sync();
      },
      handleError(error: Error) {
        reject(error);
      },
      handleReadyForQuery() {
        parsed[name] = text;
        resolve();
      },
    });
  });

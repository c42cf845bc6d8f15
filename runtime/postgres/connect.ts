import { Client, type ClientConfig } from 'pg';

const NO_TLS = 'The server does not support SSL connections';

/** A connection, and the form in which the server takes others as well. */
export interface Connected {
  readonly client: Client;
  readonly config: ClientConfig;
}

/** In the first form that the server takes; `sslmode: prefer` has two. @throws Error of the last one that was tried. */
export const connectPostgres = async (forms: readonly ClientConfig[]): Promise<Connected> => {
  for (const [i, config] of forms.entries()) {
    const client = new Client(config);
    client.on('error', () => {}); // `connect` rejects with it, and whoever uses the connection listens as well
    try {
      await client.connect();
      return { client, config };
    } catch (error) {
      await client.end().catch(() => {}); // it has never been connected
      const isLast = i === forms.length - 1;
      // With TLS refused the next form may do; a server that is away is so in every form.
      if (isLast || !(error instanceof Error && (error.message === NO_TLS || config.ssl === false))) throw error;
    }
  }
  throw new Error('no form of the connection is given');
};

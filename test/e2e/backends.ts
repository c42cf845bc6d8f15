import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import type { Redis } from 'ioredis';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../harness/postgres.ts';
import { REDIS_MISSING, startRedis } from '../harness/redis.ts';
import type { Scope } from '../harness/teardown.ts';
import { CannotRun } from './checks.ts';

/** What test/e2e/app/data keeps its data in: databases of one program, with their tables. */
export interface Backends {
  /** Of the program. */
  readonly env: Readonly<Record<string, string>>;
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly slot: string;
}

/** Real servers of the script's own, or those that PERILUNE_TEST_REDIS_URL and PERILUNE_TEST_POSTGRES_URL name. */
export interface Servers {
  readonly description: string;
  /** New and empty, for one program. */
  backends(): Promise<Backends>;
}

const NOTES = 'CREATE TABLE notes (id integer PRIMARY KEY, body text)';
const ENTRIES = 'CREATE TABLE entries (key text PRIMARY KEY, value text, expires_at bigint)';
/** An entry of a store that no program of ours has written. */
export const BROKEN = 'broken:entry';
const BROKEN_ROW = `INSERT INTO entries (key, value) VALUES ('${BROKEN}', 's3cret, and no JSON')`;

/** @throws CannotRun 3 with what to install. */
export const startServers = async (scope: Scope): Promise<Servers> => {
  const server = await startPostgres(scope);
  if (server === undefined) throw new CannotRun(3, POSTGRES_MISSING);
  const redis = await startRedis(scope).catch((error: unknown) => {
    throw error instanceof Error && error.message === REDIS_MISSING ? new CannotRun(3, REDIS_MISSING) : error;
  });
  let count = 0;
  return {
    description: `PostgreSQL: ${server.source}; Redis: ${redis.url}`,
    async backends() {
      count += 1;
      const postgres = await server.createDatabase('e2e');
      const slot = `slot_${postgres.database}`;
      const prefix = `${redis.prefix}${count}:`;
      const folder = mkdtempSync(`${tmpdir()}/perilune-e2e-`);
      scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const file = `${folder}/data.db`;
      const sqlite = new DatabaseSync(file);
      for (const statement of [NOTES, ENTRIES, BROKEN_ROW]) sqlite.exec(statement);
      sqlite.close();
      for (const statement of [NOTES, ENTRIES, BROKEN_ROW]) await postgres.run(statement);
      await postgres.run('CREATE TABLE items (id integer PRIMARY KEY, name text, note text)');
      await postgres.run('CREATE TABLE fragile (id serial PRIMARY KEY, note text)');
      await postgres.run('CREATE TABLE outbox (id serial PRIMARY KEY, note text)');
      await postgres.run("INSERT INTO items VALUES (100, 'there before', 's3cret-row')");
      await redis.client.hset(`${prefix}kv:${BROKEN}`, { value: 's3cret, and no JSON', version: '1' });
      // A server that goes on must not keep its log for a slot that nobody reads; the program has ended by then.
      scope.teardown(() =>
        postgres.run('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [
          slot,
        ]),
      );
      return {
        redis: redis.client,
        postgres,
        slot,
        env: {
          E2E_SQLITE: file,
          E2E_REDIS: redis.url,
          E2E_PREFIX: prefix,
          E2E_PG_HOST: postgres.host,
          E2E_PG_PORT: String(postgres.port),
          E2E_PG_DATABASE: postgres.database,
          E2E_PG_USER: postgres.username,
          E2E_PG_PASSWORD: postgres.password,
          E2E_SLOT: slot,
        },
      };
    },
  };
};

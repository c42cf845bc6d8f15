import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';
import { POSTGRES_MISSING, startPostgres } from '../harness/postgres.ts';
import { databaseFile } from '../services/cdc/sqlite-app.ts';

const TABLES = `
  CREATE TABLE orders (id int PRIMARY KEY, name text);
  CREATE TABLE plain (a int, b text);
  ALTER TABLE plain REPLICA IDENTITY FULL;
  CREATE TABLE big (id int PRIMARY KEY, n int, body text);
  ALTER TABLE big ALTER COLUMN body SET STORAGE EXTERNAL;`;

test('lua/cdc.md, line by line, on PostgreSQL', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const postgres = await server.createDatabase('lua_cdc');
  await postgres.run(TABLES);
  // What the tests write is written beside the program: each request is a script of SQL.
  const writer = createServer(async (request, response) => {
    try {
      await postgres.run(await text(request));
      response.end();
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => writer.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => writer.close(resolve)));
  await luaTests(t, 'test/lua/cdc', {
    env: {
      CDC_SQL: `http://127.0.0.1:${(writer.address() as AddressInfo).port}/`,
      CDC_HOST: postgres.host,
      CDC_PORT: String(postgres.port),
      CDC_DATABASE: postgres.database,
      CDC_USER: postgres.username,
      CDC_PASSWORD: postgres.password,
      CDC_SLOT: postgres.database.toLowerCase(),
    },
  });
});

test('lua/cdc.md, line by line, on SQLite', async (t) => {
  const file = databaseFile(t);
  const database = new DatabaseSync(file);
  database.exec('CREATE TABLE orders (id integer PRIMARY KEY, name text); CREATE TABLE plain (a, b)');
  database.close();
  await luaTests(t, 'test/lua/cdc-sqlite', { env: { CDC_FILE: file } });
});

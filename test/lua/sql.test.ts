import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { t as root, test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';
import { POSTGRES_MISSING, startPostgres } from '../harness/postgres.ts';

const server = await startPostgres(root);

test('the module sql, on SQLite', (t) => luaTests(t, 'test/lua/sql'));

/** The same app, with another database under the same id; where it is comes from variables. */
const POSTGRES = `namespace: sql
entries:
  - name: db
    kind: db.sql.postgres
    host_env: DB_HOST
    port_env: DB_PORT
    database_env: DB_NAME
    username: \${env:DB_USER}
    password_env: DB_PASSWORD
    pool: { max_open: 4, acquire_timeout: 400ms }
    lifecycle: { auto_start: true }
`;

test('the module sql, on PostgreSQL', { skip: server === undefined && POSTGRES_MISSING }, async (t) => {
  if (server === undefined) return;
  const dir = mkdtempSync(`${tmpdir()}/perilune-lua-sql-`);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(fileURLToPath(new URL('sql', import.meta.url)), dir, { recursive: true });
  writeFileSync(`${dir}/database.yaml`, POSTGRES);
  const { host, port, database, username, password } = await server.createDatabase('lua');
  await luaTests(t, dir, {
    env: { DB_HOST: host, DB_PORT: String(port), DB_NAME: database, DB_USER: username, DB_PASSWORD: password },
  });
});

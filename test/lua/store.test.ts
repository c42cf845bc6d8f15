import { cpSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';
import { startRedis } from '../harness/redis.ts';

const source = fileURLToPath(new URL('store', import.meta.url));

test('lua/store.md, line by line, on store.memory', (t) => luaTests(t, 'test/lua/store'));

test('lua/store.md, line by line, on store.redis', async (t) => {
  const { url, prefix } = await startRedis(t);
  const dir = t.testdir();
  cpSync(source, dir, { recursive: true });
  const store = (name: string) => ({
    name,
    kind: 'store.redis',
    url,
    prefix: `${prefix}${name}:`,
    lifecycle: { auto_start: true },
  });
  const backend = { namespace: 'store.tests', entries: [store('subject'), store('other')] };
  writeFileSync(`${dir}/backend.yaml`, JSON.stringify(backend));
  await luaTests(t, dir);
});

test('lua/store.md, line by line, on store.sql', async (t) => {
  const dir = t.testdir();
  cpSync(source, dir, { recursive: true });
  const tables = new DatabaseSync(`${dir}/data.db`);
  for (const name of ['subject', 'other']) {
    tables.exec(`CREATE TABLE ${name} (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at REAL)`);
  }
  tables.close();
  const lifecycle = { auto_start: true };
  const store = (name: string) => ({ name, kind: 'store.sql', database: 'db', table_name: name, lifecycle });
  const database = { name: 'db', kind: 'db.sql.sqlite', file: './data.db', lifecycle };
  const backend = { namespace: 'store.tests', entries: [store('subject'), store('other'), database] };
  writeFileSync(`${dir}/backend.yaml`, JSON.stringify(backend));
  await luaTests(t, dir);
});

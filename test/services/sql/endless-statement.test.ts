import { fileURLToPath } from 'node:url';
import { type Test, test } from 'tap';
import { startChild } from '../../harness/child.ts';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import { select } from '../../harness/prometheus-text.ts';

// SQLite cannot be interrupted: what a statement that never ends may hold up, and what it may not.

const WORK = `
local sql = require("sql")
local function main()
  local db = assert(sql.get("app:db"))
  return db:query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n")
end
return { main = main }
`;
const app = (t: Test): string => {
  const lifecycle = { auto_start: true, stop_timeout: '500ms' };
  const work = { kind: 'function.lua', method: 'main', modules: ['sql'], source: 'file://work.lua' };
  const entries = [
    { name: 'db', kind: 'db.sql.sqlite', file: ':memory:', lifecycle },
    { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:${APP_PORT|0}', lifecycle },
    { name: 'api', kind: 'http.router', meta: { server: 'gateway' } },
    { name: 'work.e', kind: 'http.endpoint', meta: { router: 'api' }, method: 'POST', path: '/work', func: 'work' },
    { name: 'work', ...work },
    { name: 'bounded', ...work, meta: { options: { timeout: '200ms' } } },
  ];
  return t.testdir({
    '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }),
    'work.lua': WORK,
  });
};

test('its caller is told in time, and the program ends with its code', async (t) => {
  const bin = fileURLToPath(new URL('../../../bin/perilune.js', import.meta.url));
  const child = startChild(t, process.execPath, [bin, 'invoke', app(t), 'app:bounded']);
  await poll('the program has ended', () => child.exit() !== undefined);
  t.same(await child.exited, { code: 1, signal: null }, child.output());
  t.match(child.output(), /Timeout: call timed out after 200ms: app:bounded/);
  t.match(child.output(), /app:db could not stop: a statement still runs, and SQLite cannot interrupt it/);
});

test('the second signal ends the program at once', async (t) => {
  const program = await startProgram(t, app(t), { ports: ['APP_PORT'], set: { 'shutdown.timeout': '5m' } });
  void fetch(program.url('APP_PORT', '/work'), { method: 'POST' }).catch(() => {}); // it never answers
  await poll('the statement runs', async () =>
    select(await program.scrape(), 'wippy_sql_pool_connections', { state: 'used' }).some(({ value }) => value === 1),
  );
  program.signal('SIGTERM');
  await poll('it stops', () => program.output().includes('"stopping"'));
  program.signal('SIGTERM');
  await poll('the program has ended', () => program.exit() !== undefined);
  t.same(await program.exited, { code: 1, signal: null }, program.output());
});

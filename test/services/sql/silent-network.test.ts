import { t as root, test } from 'tap';
import { programIn } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { total } from '../../harness/prometheus-text.ts';
import { startProxy } from '../../harness/tcp-proxy.ts';

const server = await startPostgres(root);

/** A function that cuts its own connection at some point is told to by `cut`, which the test does while it sleeps. */
const lua = (name: string, source: string) => ({
  name,
  kind: 'function.lua',
  method: 'main',
  source,
  modules: ['sql', 'time'],
  meta: { options: { timeout: '1500ms' } },
});
const BEGIN = `return function() return sql.get('app:db'):begin() ~= nil end`;
const IN_TRANSACTION = (last: string): string =>
  `return function()
    local tx = assert(sql.get('app:db'):begin())
    assert(tx:execute('INSERT INTO kept VALUES (1)'))
    time.sleep('500ms')
    ${last}
  end`;

test('a network that swallows everything: the connections of calls that have ended come back', {
  skip: server?.start === undefined && POSTGRES_MISSING,
}, async (t) => {
  if (server === undefined) return;
  const postgres = await server.createDatabase('silent');
  await postgres.run('CREATE TABLE kept (n int)');
  const proxy = await startProxy(t, postgres.port);
  const { database, username, password } = postgres;
  const db = { host: '127.0.0.1', port: proxy.port, database, username, password, options: { sslmode: 'disable' } };
  const entries = [
    { name: 'db', kind: 'db.sql.postgres', ...db, pool: { max_open: 1 }, lifecycle: { auto_start: true } },
    lua('begin', BEGIN),
    lua('commit', IN_TRANSACTION('return tx:commit()')),
    lua('leave', IN_TRANSACTION('return true')),
  ];
  const folder = t.testdir({ '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }) });
  const program = await programIn(t, folder);
  const used = async (): Promise<number | undefined> =>
    total(await program.scrape(), 'wippy_sql_pool_connections', { state: 'used' });

  t.equal(await program.call('app:begin'), true);
  proxy.cut();
  await t.rejects(program.call('app:begin'), /timed out/, 'a begin that nobody answers');
  await poll('its connection is free', async () => (await used()) === 0);
  for (const [id, what] of [
    ['app:commit', 'a commit'],
    ['app:leave', 'a transaction that the call leaves open'],
  ] as const) {
    const called = program.call(id).catch((error: unknown) => error);
    await poll(`${what}: it is open`, async () => (await used()) === 1);
    await poll('its insert is done', async () => {
      const open = await postgres.run(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO kept%'`);
      return open.length > 0;
    });
    proxy.cut();
    await called;
    await poll(`${what}: its connection is free`, async () => (await used()) === 0);
  }
  t.equal(await program.call('app:begin'), true, 'and a new one works');
});

import { type AddressInfo, createServer } from 'node:net';
import { t as root, test } from 'tap';
import { programIn } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { select } from '../../harness/prometheus-text.ts';

const server = await startPostgres(root);
const skip = server?.stop === undefined && (server === undefined ? POSTGRES_MISSING : 'the server is not ours to stop');

const READ = `local db = assert(require("sql").get("app:db"))
local rows, err = db:query("SELECT 1 AS one")
if rows then return "one " .. rows[1].one end
return err:kind() .. " " .. tostring(err:retryable())`;

test('a server that goes away and comes back', { skip }, async (t) => {
  if (server?.stop === undefined || server.start === undefined) return;
  const { host, port, database, username, password } = server;
  const entries = [
    {
      name: 'db',
      kind: 'db.sql.postgres',
      ...{ host, port, database, username, password },
      lifecycle: { auto_start: true },
    },
    { name: 'read', kind: 'function.lua', method: 'main', modules: ['sql'], source: `return function() ${READ} end` },
  ];
  const dir = t.testdir({ '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }) });
  const program = await programIn(t, dir);
  t.equal(await program.call('app:read'), 'one 1');

  await server.stop();
  for (let i = 0; i < 3; i += 1) t.equal(await program.call('app:read'), 'Unavailable true');
  const away = await program.scrape();
  t.ok((select(away, 'wippy_component_errors_total', { component: 'app:db', kind: 'connect' })[0]?.value ?? 0) >= 1);
  const degraded = async () =>
    select(await program.scrape(), 'wippy_component_degraded_seconds_total', { component: 'app:db' })[0]?.value ?? 0;
  await poll('it is degraded', async () => (await degraded()) > 0);

  await server.start();
  await poll('it answers again', async () => (await program.call('app:read')) === 'one 1');
  const lines = program.lines().filter(({ subsystem }) => subsystem === 'sql');
  t.same(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['warn', 'the database cannot be reached'],
      ['info', 'the database can be reached again'],
    ],
    'one line at the begin of the episode, one at its end',
  );
  t.notOk(JSON.stringify(program.lines()).includes(password));
  const before = await degraded();
  t.equal(await degraded(), before, 'the time no longer runs');
});

test('a server that takes the connection and says nothing fails the start in its time', async (t) => {
  const silent = createServer(() => {});
  t.teardown(() => silent.close());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const db = {
    name: 'db',
    kind: 'db.sql.postgres',
    ...{ host: '127.0.0.1', port, database: 'd', username: 'u', password: 'p', options: { sslmode: 'disable' } },
    pool: { acquire_timeout: '10m' },
    lifecycle: { auto_start: true, start_timeout: '500ms' },
  };
  const dir = t.testdir({ '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries: [db] }) });
  await t.rejects(programIn(t, dir), {
    message: `app:db could not start: postgres at 127.0.0.1:${port}: timeout expired`,
  });
});

test('a server that is not there fails the start', { skip }, async (t) => {
  const entries = [
    {
      name: 'db',
      kind: 'db.sql.postgres',
      ...{ host: '127.0.0.1', port: 1, database: 'd', username: 'u', password: 'planted-password' },
      lifecycle: { auto_start: true },
    },
  ];
  const dir = t.testdir({ '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }) });
  await t.rejects(programIn(t, dir), { message: /app:db.*postgres at 127\.0\.0\.1:\d+: .*ECONNREFUSED/ });
});

import { t as root, type Test, test } from 'tap';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { total } from '../../harness/prometheus-text.ts';
import { startProxy } from '../../harness/tcp-proxy.ts';
import { cdcApp, consumer, handler, noted, source } from './app.ts';

const server = await startPostgres(root);
const SKIP = { skip: server?.start === undefined && POSTGRES_MISSING };
const WAIT = { deadlineMs: 90_000, everyMs: 100 };

const ids = (program: InProcess): number[] => noted(program, 'change').map(({ id }) => Number(id));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const database = async (name: string): Promise<Postgres> => {
  const made = await (server as Postgres).createDatabase(name);
  await made.run('CREATE TABLE orders (id int PRIMARY KEY, name text)');
  return made;
};
const insert = (postgres: Postgres, from: number, to: number) =>
  postgres.run(`INSERT INTO orders SELECT n, 'n' FROM generate_series(${from}, ${to}) n`);
const captured = async (program: InProcess): Promise<number> =>
  total(await program.scrape(), 'wippy_cdc_changes_total') ?? 0;

test('a network that swallows everything is noticed: the rest comes, and nothing twice', SKIP, async (t: Test) => {
  const postgres = await database('silent');
  const proxy = await startProxy(t, postgres.port);
  const note = handler('handle', `local change = ... logger:info('change', { id = change.after.id })`);
  const entry = { ...source(postgres, { standby_interval: '200ms' }), host: '127.0.0.1', port: proxy.port };
  const program = await cdcApp(t, [entry, consumer(), note]);
  await insert(postgres, 1, 10);
  await poll('ten changes', () => ids(program).length === 10, WAIT);
  proxy.cut();
  await insert(postgres, 11, 20);
  await poll('twenty changes', () => ids(program).length >= 20, WAIT);
  t.same(ids(program), upTo(20));
  const [lost] = program.lines().filter(({ msg }) => msg === 'change capture has lost its source');
  t.match(lost?.error, /has said nothing for 6 standby intervals/);
});

test('a server that answers is not given up, however idle it is', SKIP, async (t: Test) => {
  const postgres = await database('idle');
  const note = handler('handle', `local change = ... logger:info('change', { id = change.after.id })`);
  const program = await cdcApp(t, [source(postgres, { standby_interval: '50ms' }), consumer(), note]);
  const until = performance.now() + 2000; // 40 intervals
  await poll('time passes', () => performance.now() > until);
  t.same(
    program.lines().filter(({ msg }) => msg === 'change capture has lost its source'),
    [],
  );
});

test('a connection that breaks while consumers have enough: the next one waits for them too', SKIP, async (t: Test) => {
  const postgres = await database('full');
  const kept = { name: 'kv', kind: 'store.memory', lifecycle: { auto_start: true } };
  const lua = (name: string, text: string) => ({
    name,
    kind: 'function.lua',
    method: 'main',
    source: text,
    modules: ['store', 'time', 'logger'],
  });
  const stuck = lua(
    'handle',
    `return function(change)
      local kv = store.get('app:kv')
      while not kv:get('go') do time.sleep('20ms') end
      logger:info('change', { id = change.after.id })
    end`,
  );
  const go = lua('go', `return function() return store.get('app:kv'):set('go', true) end`);
  const program = await cdcApp(t, [source(postgres, { standby_interval: '100ms' }), consumer(), kept, stuck, go]);
  await insert(postgres, 1, 10_000);
  const before = await poll('it has enough', async () => {
    const count = await captured(program);
    return count >= 1000 && count;
  });
  t.ok(before < 5000, `${before} are waiting`);
  await postgres.run(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'slot_${postgres.database}'`,
  );
  await poll('it reads again', () => program.lines().some(({ msg }) => msg === 'change capture works again'), WAIT);
  const until = performance.now() + 1000;
  await poll('time passes', () => performance.now() > until);
  const after = await captured(program);
  t.ok(after < 8000, `${after} are waiting: what the first chunk held, and no more`);
  await program.call('app:go');
  await poll('all changes', () => ids(program).length >= 10_000, WAIT);
  t.same(ids(program), upTo(10_000), 'and nothing comes twice');
});

/** What a source asks only while it is opened, in this order. */
const STEPS = [
  'SHOW server_version',
  'pg_control_system',
  'pg_try_advisory_lock',
  'to_regclass',
  'IDENTIFY_SYSTEM',
  'active_pid AS active',
  'START_REPLICATION',
];
/** The twenty seconds in which the server has to answer are one: what it takes here many times over. */
const hasty = (): Clock => {
  const clock = systemClock();
  return { ...clock, after: (ms, body, options) => clock.after(ms === 20_000 ? 1000 : ms, body, options) };
};

test('a network that falls silent while a source is opened: it is opened again', SKIP, async (t: Test) => {
  const postgres = await database('opening');
  const proxy = await startProxy(t, postgres.port);
  const note = handler('handle', `local change = ... logger:info('change', { id = change.after.id })`);
  const entry = { ...source(postgres), host: '127.0.0.1', port: proxy.port };
  const program = await cdcApp(t, [entry, consumer(), note], { clock: hasty() });
  const lost = () => program.lines().filter(({ msg }) => msg === 'change capture has lost its source');
  const works = () => program.lines().filter(({ msg }) => msg === 'change capture works again').length;
  for (const [i, step] of STEPS.entries()) {
    const cut = proxy.cutAt(step);
    await postgres.run(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${postgres.database}' AND pid <> pg_backend_pid()`,
    );
    await insert(postgres, i + 1, i + 1);
    await cut;
    await poll(`a change after ${step}`, () => ids(program).length === i + 1 && works() === i + 1, WAIT);
  }
  t.same(ids(program), upTo(STEPS.length));
  t.equal(lost().length, STEPS.length, 'one line for each time that it was lost');
});

import { type Test, test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { startProgram } from '../../harness/program.ts';
import type { Scope } from '../../harness/teardown.ts';
import { appFolder, cdcApp, connectionOf, source } from './app.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const sampled = rootContext.with(TRACE, {
  traceId: TRACEPARENT.slice(3, 35),
  spanId: TRACEPARENT.slice(36, 52),
  flags: 1,
  isRemote: true,
});
const database = (postgres: Postgres, more: object = {}) => ({
  name: 'shop',
  kind: 'db.sql.postgres',
  ...connectionOf(postgres),
  lifecycle: { auto_start: true },
  ...more,
});
const WRITE = {
  name: 'write',
  kind: 'function.lua',
  method: 'main',
  modules: ['sql'],
  source: `return function(id, isRead) local db = assert(sql.get('app:shop')) local tx = assert(db:begin())
    if isRead then assert(tx:query("SELECT 1")) else assert(tx:execute("INSERT INTO orders VALUES ($1, 'a')", { id })) end
    assert(tx:commit()) end`,
};

test('which transactions carry a trace', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const fresh = async (name: string) => {
    const postgres = await server.createDatabase(name);
    await postgres.run('CREATE TABLE orders (id int PRIMARY KEY, name text)');
    await postgres.run(`SELECT pg_create_logical_replication_slot('probe_${postgres.database}', 'test_decoding')`);
    /** The marks of the transactions since it was asked last, and their writes. */
    const log = async (): Promise<readonly string[]> => {
      const rows = await postgres.run<{ data: string }>(
        `SELECT data FROM pg_logical_slot_get_changes('probe_${postgres.database}', NULL, NULL)`,
      );
      return rows.flatMap(({ data }) =>
        data.includes('perilune.trace') ? ['mark'] : data.startsWith('table public.orders: INSERT') ? ['write'] : [],
      );
    };
    return { postgres, log };
  };
  /** A scope that ends when it is told to. */
  const endable = (t: Test) => {
    const ends: (() => unknown)[] = [];
    const scope: Scope & Pick<Test, 'testdir'> = {
      testdir: t.testdir.bind(t),
      teardown: (end) => void ends.push(end),
    };
    t.teardown(() => end());
    const end = async (): Promise<void> => {
      for (const one of ends.splice(0)) await one();
    };
    return { scope, end };
  };

  t.test('those of a database that a source reads, whatever the names of its host', async (t) => {
    const { postgres, log } = await fresh('names');
    const program = await cdcApp(t, [source(postgres), database(postgres, { host: 'localhost' }), WRITE]);
    await program.call('app:write', [1], sampled);
    t.same(await log(), ['mark', 'write']);
    await program.call('app:write', [2]);
    t.same(await log(), ['mark', 'write'], 'the call itself is a trace');
    await program.call('app:write', [3, true], sampled);
    t.same(await log(), [], 'never a read');
  });

  t.test('not those of another database of the same server, nor where nothing reads', async (t) => {
    const { postgres } = await fresh('read');
    const other = await fresh('unread');
    const program = await cdcApp(t, [source(postgres), database(other.postgres), WRITE]);
    await program.call('app:write', [1], sampled);
    t.same(await other.log(), ['write']);
    const alone = await cdcApp(t, [database(other.postgres), WRITE]);
    await alone.call('app:write', [2], sampled);
    t.same(await other.log(), ['write']);
  });

  t.test('trace_marks: true says that a source elsewhere reads', async (t) => {
    const { postgres, log } = await fresh('elsewhere');
    const program = await cdcApp(t, [database(postgres, { trace_marks: true }), WRITE]);
    await program.call('app:write', [1], sampled);
    t.same(await log(), ['mark', 'write']);
    await t.rejects(cdcApp(t, [database(postgres, { trace_marks: 'yes' })]), /trace_marks/);
  });

  t.test('also where the source of this program stands by, or has lost its connection for a while', async (t) => {
    const { postgres, log } = await fresh('stands_by');
    const reader = endable(t);
    await startProgram(reader.scope, appFolder(t, [source(postgres)]));
    const entries = [source(postgres), database(postgres), WRITE];
    const program = await cdcApp(t, entries);
    t.ok(program.lines().some(({ msg }) => /stands by/.test(String(msg))));
    await program.call('app:write', [1], sampled);
    t.same(await log(), ['mark', 'write']);
    await reader.end();
    await poll('it reads', () => program.lines().some(({ msg }) => msg === 'change capture reads'));
    await program.call('app:write', [2], sampled);
    t.same(await log(), ['mark', 'write']);
  });

  t.test('of two sources on one database the stop of either leaves the other its marks', async (t) => {
    const { postgres, log } = await fresh('two');
    const slot = `second_${postgres.database}`.toLowerCase();
    // It ends for good when its connection is cut: nothing but that stops one source of a running program.
    const lifecycle = { auto_start: true, start_timeout: '60s', restart: { initial_delay: '1ms', max_attempts: 1 } };
    const second = source(postgres, { name: 'second', slot_name: slot, lifecycle });
    const program = await cdcApp(t, [source(postgres), second, database(postgres), WRITE]);
    await program.call('app:write', [1], sampled);
    t.same(await log(), ['mark', 'write'], 'one mark for both');
    await postgres.run(`ALTER PUBLICATION ${slot}_pub RENAME TO gone`);
    await postgres.run('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
      slot,
    ]);
    await poll('one has ended', () =>
      program.lines().some(({ level, source: of }) => level === 'error' && of === 'app:second'),
    );
    await program.call('app:write', [2], sampled);
    t.same(await log(), ['mark', 'write']);
  });
});

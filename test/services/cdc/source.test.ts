import { test } from 'tap';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { total } from '../../harness/prometheus-text.ts';
import { cdcApp, connectionOf, consumer, handler, noted, source } from './app.ts';

const NOTE = handler(
  'handle',
  `local change = ... local row = change.after or change.before or {}
   logger:info('change', { op = change.op, id = row.id, table = change.table, row = change.after, generation = change.generation })`,
);
const seen = (program: InProcess, count: number) =>
  poll(`${count} changes`, () => noted(program, 'change').length >= count).catch((error: unknown) => {
    throw new Error(
      `${String(error)}\n${program
        .lines()
        .map((line) => JSON.stringify(line))
        .join('\n')
        .slice(-3000)}`,
    );
  });
const ops = (program: InProcess) => noted(program, 'change').map(({ op, id }) => `${op} ${id}`);
const slotOf = (postgres: Postgres): string => `slot_${postgres.database}`.toLowerCase();
const running = (program: InProcess) =>
  poll('it reads', () => program.lines().some(({ msg }) => msg === 'change capture reads'));

test('db.cdc.postgres', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const database = async (): Promise<Postgres> => {
    const postgres = await server.createDatabase('source');
    await postgres.run('CREATE TABLE orders (id int PRIMARY KEY, name text); CREATE TABLE other (id int PRIMARY KEY)');
    return postgres;
  };

  t.test('what it makes: publication, slot and offsets; a stop drops none of them', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [source(postgres, { tables: ['orders', 'public.other'] }), consumer(), NOTE]);
    t.same(
      await postgres.run(
        `SELECT tablename FROM pg_publication_tables WHERE pubname = '${slotOf(postgres)}_pub' ORDER BY 1`,
      ),
      [{ tablename: 'orders' }, { tablename: 'other' }],
    );
    t.match(
      await postgres.run(`SELECT slot_name, plugin FROM pg_replication_slots WHERE slot_name = '${slotOf(postgres)}'`),
      [{ plugin: 'pgoutput' }],
    );
    await postgres.run('INSERT INTO orders VALUES (1)');
    await seen(program, 1);
    const [row] = await poll('the position is written down', async () => {
      const rows = await postgres.run<{ moved: boolean }>(
        `SELECT slot, lsn::text, updated_at, lsn > (SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = slot) AS moved FROM wippy_cdc_offsets`,
      );
      return rows[0]?.moved === true && rows;
    });
    t.match(row, { slot: slotOf(postgres), lsn: /^[0-9A-F]+\/[0-9A-F]+$/ });

    t.test('tables of its own publication follow the entry', async (t) => {
      await cdcApp(t, [source(postgres, { slot_name: `${slotOf(postgres)}_b`, publication: undefined }), NOTE]);
      const pub = `${slotOf(postgres)}_b_pub`;
      t.same(await postgres.run(`SELECT tablename FROM pg_publication_tables WHERE pubname = '${pub}'`), [
        { tablename: 'orders' },
      ]);
    });
  });

  t.test('every change and every metric', async (t) => {
    const postgres = await database();
    await postgres.run(`INSERT INTO orders VALUES (1, 'old')`);
    const program = await cdcApp(t, [source(postgres, { snapshot: true, status_interval: '50ms' }), consumer(), NOTE]);
    // A server shows nothing of a table that was truncated since to those who read an older snapshot.
    await seen(program, 1);
    await postgres.run(
      `INSERT INTO orders VALUES (2, 'new'); UPDATE orders SET name = 'x' WHERE id = 2; DELETE FROM orders WHERE id = 1; TRUNCATE orders`,
    );
    await seen(program, 5);
    t.same(ops(program), ['snapshot 1', 'insert 2', 'update 2', 'delete 1', 'truncate undefined']);
    const labels = { slot: slotOf(postgres) };
    const exposition = await poll('all is handled', async () => {
      const found = await program.scrape();
      return total(found, 'wippy_cdc_lag_seconds', labels) === 0 && found;
    });
    for (const op of ['insert', 'update', 'delete', 'truncate', 'snapshot']) {
      t.equal(total(exposition, 'wippy_cdc_changes_total', { ...labels, op }), 1, op);
    }
    t.equal(total(exposition, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'ok' }), 5);
    t.ok((total(exposition, 'wippy_cdc_retained_wal_bytes', labels) ?? -1) >= 0);
    t.equal(total(exposition, 'wippy_cdc_errors_total', labels), undefined, 'no series before its first use');
    const activity = total(exposition, 'wippy_component_last_activity_unix_seconds', { component: 'app:orders' });
    t.ok(Math.abs((activity ?? 0) - Date.now() / 1000) < 60, 'rule 17');
    t.equal(total(exposition, 'wippy_component_degraded_seconds_total', { component: 'app:orders' }), 0);
  });

  t.test(
    'streaming: large transactions in progress come after their commit, and nothing of rolled back ones',
    async (t) => {
      const postgres = await database();
      await postgres.run(`ALTER DATABASE ${postgres.database} SET logical_decoding_work_mem = '64kB'`);
      const program = await cdcApp(t, [source(postgres, { streaming: true }), consumer(), NOTE]);
      await running(program);
      const fill = (from: number) =>
        `INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(${from}, ${from + 1999}) n`;
      await Promise.all([
        postgres.run(`BEGIN; ${fill(1)}; SELECT pg_sleep(0.2); SAVEPOINT s; ${fill(10_001)}; ROLLBACK TO s; COMMIT`),
        postgres.run(`BEGIN; ${fill(20_001)}; SELECT pg_sleep(0.1); COMMIT`),
        postgres.run(`BEGIN; ${fill(30_001)}; SELECT pg_sleep(0.1); ROLLBACK`),
      ]);
      await seen(program, 4000);
      await postgres.run(`INSERT INTO orders VALUES (99999, 'end')`);
      await seen(program, 4001);
      const ids = noted(program, 'change').map(({ id }) => Number(id));
      const wanted = (from: number) => Array.from({ length: 2000 }, (_, i) => from + i);
      const [first] = ids;
      t.same(ids, [...(first === 1 ? [...wanted(1), ...wanted(20_001)] : [...wanted(20_001), ...wanted(1)]), 99_999]);
    },
  );

  t.test('a changed table: rows have the columns of their time', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [source(postgres), consumer(), NOTE]);
    await postgres.run(`INSERT INTO orders VALUES (1, 'a'); ALTER TABLE orders ADD COLUMN more int DEFAULT 5; INSERT INTO orders VALUES (2, 'b');
      ALTER TABLE orders DROP COLUMN name; ALTER TABLE orders RENAME COLUMN more TO most; INSERT INTO orders VALUES (3, 6)`);
    await seen(program, 3);
    t.same(
      noted(program, 'change').map(({ row }) => row),
      [
        { id: '1', name: 'a' },
        { id: '2', name: 'b', more: '5' },
        { id: '3', most: '6' },
      ],
    );
  });

  t.test('a publication of all tables: its own bookkeeping is no change', async (t) => {
    const postgres = await database();
    await postgres.run('CREATE PUBLICATION everything FOR ALL TABLES');
    const program = await cdcApp(t, [
      source(postgres, { publication: 'everything', tables: undefined }),
      consumer(),
      NOTE,
    ]);
    await postgres.run('INSERT INTO other VALUES (1)');
    await poll(
      'it is written down',
      async () =>
        (
          await postgres.run(
            `SELECT 1 FROM wippy_cdc_offsets o JOIN pg_replication_slots s ON slot_name = slot AND confirmed_flush_lsn >= lsn AND lsn > restart_lsn`,
          )
        ).length > 0,
    );
    await postgres.run('INSERT INTO other VALUES (2)');
    await seen(program, 2);
    t.same(ops(program), ['insert 1', 'insert 2']);
  });

  t.test('rule 20: a publication without tables is degraded and says so, until it has one', async (t) => {
    const postgres = await database();
    await postgres.run('CREATE PUBLICATION none');
    const program = await cdcApp(t, [
      source(postgres, { publication: 'none', tables: undefined, status_interval: '50ms' }),
      consumer(),
      NOTE,
    ]);
    const line = await poll('it says so', () =>
      program.lines().find(({ msg }) => msg === 'change capture has no tables'),
    );
    t.match(line, {
      level: 'error',
      error: /publication "none" holds none of the tables.*ALTER PUBLICATION "none" ADD TABLE/,
    });
    const degraded = async () =>
      total(await program.scrape(), 'wippy_component_degraded_seconds_total', { component: 'app:orders' }) ?? 0;
    const first = await degraded();
    await poll('rule 19: it rises from the boot on', async () => (await degraded()) > first);
    const errors = async () => total(await program.scrape(), 'wippy_cdc_errors_total', { slot: slotOf(postgres) }) ?? 0;
    const counted = await errors();
    await poll('counted once a tick', async () => (await errors()) > counted);
    await postgres.run('ALTER PUBLICATION none ADD TABLE orders');
    await poll('it works again', () => program.lines().some(({ msg }) => msg === 'change capture works again'));
    await postgres.run('INSERT INTO orders VALUES (1)');
    await seen(program, 1);
  });

  t.test('a temporary slot begins anew with every connection, and says what is lost', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [source(postgres, { temporary: true }), consumer(), NOTE]);
    await running(program);
    await postgres.run('INSERT INTO orders VALUES (1)');
    await seen(program, 1);
    t.same(await postgres.run('SELECT * FROM wippy_cdc_offsets'), [], 'nothing is kept');
    await postgres.run('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE temporary');
    await poll('it is back', () => program.lines().filter(({ msg }) => msg === 'change capture reads').length === 2);
    await postgres.run('INSERT INTO orders VALUES (2)');
    await seen(program, 2);
    const [before, after] = noted(program, 'change').map(({ generation }) => generation);
    t.not(before, after);
  });

  t.test('a slot that someone has dropped is made anew, and the gap is told', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [source(postgres), consumer(), NOTE]);
    await running(program);
    await postgres.run(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slotOf(postgres)}'`,
    );
    await poll(
      'dropped',
      async () => {
        await postgres.run(`SELECT pg_drop_replication_slot('${slotOf(postgres)}')`);
        return true;
      },
      { everyMs: 1 },
    );
    await poll('it is told', () =>
      program.lines().some(({ error }) => /has a new slot, changes before it are lost/.test(String(error))),
    );
    await poll('it reads', () => program.lines().filter(({ msg }) => msg === 'change capture reads').length >= 2);
    await postgres.run('INSERT INTO orders VALUES (7)');
    await poll('on', () => ops(program).includes('insert 7'));
  });

  t.test('what a server lacks ends the start with a text that says so', async (t) => {
    const postgres = await database();
    const starts = (more: object) => cdcApp(t, [source(postgres, more)]);
    const [version] = await postgres.run<{ server_version: string }>('SHOW server_version');
    const text = version?.server_version.split(' ')[0] ?? '';
    if (Number.parseInt(text, 10) < 17) {
      await t.rejects(starts({ failover: true }), {
        message: new RegExp(`failover slots need PostgreSQL 17, this server is ${text.replace('.', '\\.')}`),
      });
    }
    await t.rejects(starts({ publication: 'gone', tables: undefined }), {
      message: /publication "gone" does not exist/,
    });
    await t.rejects(starts({ tables: ['gone'] }), { message: /relation "gone" does not exist/ });
    await t.rejects(starts({ password: 'wrong' }), { message: /password authentication failed/ });
    await t.rejects(starts({ port: 1 }), { message: /ECONNREFUSED/ });
    await postgres.run(`SELECT pg_create_logical_replication_slot('foreign_slot', 'test_decoding')`);
    await t.rejects(starts({ slot_name: 'foreign_slot' }), { message: /is one of test_decoding on database/ });
  });

  t.test('connection keys from variables, and what is missing', async (t) => {
    const postgres = await database();
    const { host, port, ...rest } = connectionOf(postgres);
    const program = await cdcApp(
      t,
      [
        source(postgres, { ...rest, host: undefined, host_env: 'PG_HOST', port: undefined, port_env: 'PG_PORT' }),
        consumer(),
        NOTE,
      ],
      { variables: { PG_HOST: host, PG_PORT: String(port) } },
    );
    await postgres.run('INSERT INTO orders VALUES (1)');
    await seen(program, 1);
    await t.rejects(cdcApp(t, [source(postgres, { host: undefined, host_env: 'NOBODY_SET_THIS' })]), {
      message: /the variable NOBODY_SET_THIS of host_env has no value/,
    });
  });

  t.test('bus events of an error', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres, { event_system: 'my_cdc' }),
      {
        name: 'listener',
        kind: 'process.lua',
        method: 'main',
        source: `return { main = function() local ch = events.subscribe('my_cdc', 'error'):channel()
          local e = ch:receive() logger:info('bus', { path = e.path, slot = e.data.slot, error = e.data.error }) end }`,
        modules: ['events', 'logger'],
      },
      { name: 'host', kind: 'process.host', lifecycle: { auto_start: true } },
      {
        name: 'listening',
        kind: 'process.service',
        process: 'listener',
        host: 'host',
        lifecycle: { auto_start: true },
      },
    ]);
    await running(program);
    await poll('an event', async () => {
      await postgres.run(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slotOf(postgres)}'`,
      );
      return noted(program, 'bus').length > 0;
    });
    t.match(noted(program, 'bus')[0], { path: slotOf(postgres), slot: slotOf(postgres), error: /terminat|ended/i });
  });
});

import { test } from 'tap';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { total } from '../../harness/prometheus-text.ts';
import { cdcApp, consumer, handler, noted, source } from './app.ts';

const QUEUES = [
  { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
  { name: 'jobs', kind: 'queue.queue', driver: 'driver' },
  { name: 'dead', kind: 'queue.queue', driver: 'driver' },
];
const WORKER = {
  name: 'worker',
  kind: 'queue.consumer',
  func: 'work',
  lifecycle: { auto_start: true },
};
const NOTE = `local change = ... logger:info('change', { op = change.op, id = (change.after or change.before).id, table = change.table })`;
const ids = (program: InProcess): number[] => noted(program, 'change').map(({ id }) => Number(id));
const seen = (program: InProcess, count: number) => poll(`${count} changes`, () => ids(program).length >= count);
const slotOf = (postgres: Postgres): string => `slot_${postgres.database}`.toLowerCase();
const processed = (program: InProcess) => program.lines().filter(({ msg }) => msg === 'change processed');

test('cdc.consumer', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const database = async (): Promise<Postgres> => {
    const postgres = await server.createDatabase('consumer');
    await postgres.run('CREATE TABLE orders (id int PRIMARY KEY, name text); CREATE TABLE other (id int PRIMARY KEY)');
    return postgres;
  };

  t.test('tables and ops choose the changes', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres, { tables: ['orders', 'other'] }),
      consumer({ tables: ['PUBLIC.Orders'], ops: ['delete', 'insert'] }),
      handler('handle', NOTE),
    ]);
    await postgres.run(`INSERT INTO other VALUES (1); INSERT INTO orders VALUES (2, 'a'); UPDATE orders SET name = 'b';
      DELETE FROM orders; INSERT INTO orders VALUES (3, 'c')`);
    await seen(program, 3);
    t.same(
      noted(program, 'change').map(({ op, table, id }) => `${op} ${table} ${id}`),
      ['insert orders 2', 'delete orders 2', 'insert orders 3'],
    );
    const changes = await program.scrape();
    t.equal(total(changes, 'wippy_cdc_changes_total', { slot: slotOf(postgres) }), 5, 'captured are all of them');
    t.equal(total(changes, 'wippy_cdc_changes_total', { slot: slotOf(postgres), op: 'insert' }), 3);
  });

  t.test('a failure that may pass is tried again, in its place, and every attempt is measured', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer({ retry: { initial_delay: '1ms' } }),
      handler(
        'handle',
        `local change = ... seen = seen + 1
         if seen < 4 then return nil, errors.new({ kind = 'Unavailable', message = 'not now', retryable = true }) end ${NOTE}`,
      ),
    ]);
    await postgres.run(`INSERT INTO orders VALUES (1, 'a'); INSERT INTO orders VALUES (2, 'b')`);
    await seen(program, 2);
    t.same(ids(program), [1, 2]);
    await poll('lines', () => processed(program).length >= 5);
    t.same(
      processed(program).map(({ level, attempt, error }) => [level, attempt, error]),
      [
        ['warn', undefined, 'not now'],
        ['warn', 2, 'not now'],
        ['warn', 3, 'not now'],
        ['info', 4, undefined],
        ['info', undefined, undefined],
      ],
    );
    const measured = await program.scrape();
    const labels = { slot: slotOf(postgres) };
    t.equal(total(measured, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'error' }), 3);
    t.equal(total(measured, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'ok' }), 2);
    t.equal(total(measured, 'wippy_cdc_errors_total', labels), undefined, 'no failure of the source');
  });

  t.test('on_failure stop: the source waits, nothing is confirmed, an error says so', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres, { status_interval: '50ms' }),
      consumer(),
      handler('handle', `local change = ... if change.after.id == '2' then error('no such thing') end ${NOTE}`),
    ]);
    for (const id of [1, 2, 3]) await postgres.run(`INSERT INTO orders VALUES (${id}, 'a')`);
    const line = await poll('it is told', () =>
      program
        .lines()
        .find(({ level, subsystem, source }) => level === 'error' && subsystem === 'cdc' && source === 'app:orders'),
    );
    t.match(line, { error: /no such thing/ });
    const labels = { slot: slotOf(postgres) };
    await poll('it is counted', async () => total(await program.scrape(), 'wippy_cdc_errors_total', labels) === 1);
    t.same(ids(program), [1]);
    const [at] = await postgres.run<{ waits: string }>(
      `SELECT (confirmed_flush_lsn < pg_current_wal_lsn())::text AS waits FROM pg_replication_slots WHERE slot_name = '${slotOf(postgres)}'`,
    );
    t.equal(at?.waits, 'true');
    const lag = async () => total(await program.scrape(), 'wippy_cdc_lag_seconds', labels) ?? 0;
    const first = await lag();
    await poll('the lag grows', async () => (await lag()) > first);
    const retained = async () => total(await program.scrape(), 'wippy_cdc_retained_wal_bytes', labels) ?? 0;
    const before = await retained();
    await postgres.run(`INSERT INTO other SELECT generate_series(1, 10000)`);
    await poll('the log that is kept grows', async () => (await retained()) > before);
    const degraded = async () =>
      total(await program.scrape(), 'wippy_component_degraded_seconds_total', { component: 'app:orders' }) ?? 0;
    const since = await degraded();
    await poll('the source is degraded as long as it lasts', async () => (await degraded()) > since);
    t.same(ids(program), [1]);
  });

  t.test('on_failure skip: counted, and on with the next', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer({ on_failure: 'skip', retry: { max_attempts: 2, initial_delay: '1ms', retry_kinds: ['Internal'] } }),
      handler('handle', `local change = ... if change.after.id == '2' then error('no such thing') end ${NOTE}`),
    ]);
    for (const id of [1, 2, 3]) await postgres.run(`INSERT INTO orders VALUES (${id}, 'a')`);
    await seen(program, 2);
    t.same(ids(program), [1, 3]);
    t.equal(total(await program.scrape(), 'wippy_cdc_errors_total', { slot: slotOf(postgres) }), 1);
    t.same(
      processed(program)
        .filter(({ error }) => error !== undefined)
        .map(({ level }) => level),
      ['warn', 'error'],
      'the last attempt is an error',
    );
  });

  t.test('on_failure dead_letter: the change lies in the queue', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer({ on_failure: 'dead_letter', dead_letter: { queue: 'dead' } }),
      handler('handle', `local change = ... if change.after.id == '2' then error('no such thing') end ${NOTE}`),
      ...QUEUES,
      { ...WORKER, queue: 'dead' },
      handler(
        'work',
        `local change = ... local m = queue.message() logger:info('dead', { id = change.after.id, from = m:header('x_dead_letter_queue'),
           kind = m:header('x_dead_letter_kind'), reason = m:header('x_dead_letter_reason') })`,
      ),
    ]);
    for (const id of [1, 2, 3]) await postgres.run(`INSERT INTO orders VALUES (${id}, 'a')`);
    await seen(program, 2);
    const [dead] = await poll('the dead one', () => noted(program, 'dead').length > 0 && noted(program, 'dead'));
    t.match(dead, { id: '2', from: 'app:orders', kind: 'Internal', reason: /no such thing/ });
    t.same(ids(program), [1, 3]);
  });

  t.test('a queue as the target: the message body is the change', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer({ func: undefined, queue: 'jobs' }),
      ...QUEUES,
      { ...WORKER, queue: 'jobs' },
      handler('work', NOTE),
    ]);
    await postgres.run(`INSERT INTO orders VALUES (1, 'a'), (2, 'b')`);
    await seen(program, 2);
    t.same(ids(program), [1, 2]);
  });

  t.test('concurrency: keys side by side, each in its order; a truncate waits for all and holds all', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer({ concurrency: 8 }),
      handler(
        'handle',
        `local change = ... local row = change.after or change.before or {}
         logger:info('begin', { id = row.id, name = row.name, op = change.op })
         time.sleep(row.id == '1' and '30ms' or '5ms')
         logger:info('end', { id = row.id, name = row.name, op = change.op })`,
      ),
    ]);
    await postgres.run(`INSERT INTO orders SELECT n, '0' FROM generate_series(1, 8) n;
      UPDATE orders SET name = '1'; UPDATE orders SET name = '2'; UPDATE orders SET id = 100 WHERE id = 1;
      UPDATE orders SET name = '3' WHERE id = 100; TRUNCATE orders; INSERT INTO orders VALUES (1, 'last')`);
    await poll('all of it', () => noted(program, 'end').some(({ name }) => name === 'last'));
    const steps = program.lines().filter(({ msg }) => msg === 'begin' || msg === 'end');
    let most = 0;
    let now = 0;
    for (const { msg } of steps) {
      now += msg === 'begin' ? 1 : -1;
      most = Math.max(most, now);
    }
    t.ok(most > 1 && most <= 8, `${most} at once`);
    for (const id of ['2', '5']) {
      t.same(
        noted(program, 'begin')
          .filter((one) => one.id === id)
          .map(({ name }) => name),
        ['0', '1', '2'],
      );
    }
    const of1 = steps.filter(({ id, name }) => (id === '1' && name !== 'last') || id === '100').map(({ msg }) => msg);
    t.same(
      of1,
      ['begin', 'end', 'begin', 'end', 'begin', 'end', 'begin', 'end', 'begin', 'end'],
      'through a change of the key',
    );
    const truncate = steps.findIndex(({ msg, op }) => msg === 'begin' && op === 'truncate');
    t.equal(now, 0);
    t.same(
      steps.slice(truncate).map(({ msg, op }) => `${msg} ${op}`),
      ['begin truncate', 'end truncate', 'begin insert', 'end insert'],
    );
  });

  t.test('a consumer that cannot keep up: the source reads no further, and loses nothing', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer(),
      handler('handle', `local change = ... if change.after.id == '1' then time.sleep('700ms') end ${NOTE}`),
    ]);
    await postgres.run(`INSERT INTO orders SELECT n, repeat('x', 200) FROM generate_series(1, 6000) n`);
    const labels = { slot: slotOf(postgres) };
    const captured = async () => total(await program.scrape(), 'wippy_cdc_changes_total', labels) ?? 0;
    await poll('it captures', async () => (await captured()) > 0);
    const first = await captured();
    t.ok(first < 3000, `${first} captured while the first is handled`);
    await seen(program, 6000);
    t.same(
      ids(program),
      Array.from({ length: 6000 }, (_, i) => i + 1),
    );
  });

  t.test("a writer's mark links the handler to it; the span of the delivery only where it is asked for", async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [source(postgres), consumer(), handler('handle', NOTE)], {
      set: { 'otel.cdc.spans': true },
    });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await postgres.run(`BEGIN;
      SELECT pg_logical_emit_message(true, 'perilune.trace', '00-${traceId}-b7ad6b7169203331-01');
      INSERT INTO orders VALUES (1, 'a'); COMMIT; INSERT INTO orders VALUES (2, 'b')`);
    await seen(program, 2);
    const handled = await poll('spans', () => {
      const found = program.recorder.spans({ name: 'app:handle' });
      return found.length === 2 && found;
    });
    const [first, second] = handled;
    t.equal(first?.kind, 'consumer');
    t.same(first?.links, [{ traceId, spanId: 'b7ad6b7169203331', attributes: {} }]);
    t.not(first?.traceId, traceId, 'a link, not a parent');
    t.match(first?.attributes, {
      'faas.trigger': 'datasource',
      'faas.document.collection': postgres.database,
      'faas.document.name': 'public.orders',
      'faas.document.operation': 'insert',
      'faas.document.time': /^\d{4}-\d\d-\d\dT/,
    });
    t.same(second?.links, [], 'the mark is of its transaction alone');
    const delivery = program.recorder.spans({ name: 'process public.orders' })[0];
    t.equal(delivery?.kind, 'consumer');
    t.equal(first?.parentSpanId, delivery?.spanId);
    t.same(delivery?.attributes, {
      'db.system.name': 'postgresql',
      'db.namespace': postgres.database,
      'db.collection.name': 'orders',
      'db.operation.name': 'insert',
    });
  });

  t.test('Lua that writes within a trace: the handler is linked to it, without anything said', async (t) => {
    const postgres = await database();
    const { slot_name: _slot, tables: _tables, ...connection } = source(postgres);
    const program = await cdcApp(t, [
      source(postgres),
      consumer(),
      handler('handle', NOTE),
      { ...connection, name: 'shop', kind: 'db.sql.postgres' },
      {
        name: 'write',
        kind: 'function.lua',
        method: 'main',
        modules: ['sql'],
        source: `return function() local db = assert(sql.get('app:shop')) local tx = assert(db:begin())
          assert(tx:execute("INSERT INTO orders VALUES (1, 'a')")) assert(tx:commit())
          assert(db:execute("INSERT INTO orders VALUES (2, 'b')")) end`,
      },
    ]);
    await program.call('app:write');
    await seen(program, 2);
    const [first, second] = await poll('spans', () => {
      const found = program.recorder.spans({ name: 'app:handle' });
      return found.length === 2 && found;
    });
    const writer = program.recorder.span({ name: 'app:write' });
    t.match(first?.links, [{ traceId: writer.traceId }]);
    t.equal(first?.links.length, 1);
    t.same(second?.links, [], 'a statement on its own is not marked');
  });
});

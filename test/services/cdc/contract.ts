import { type Test, test } from 'tap';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { select, total } from '../../harness/prometheus-text.ts';
import { cdcApp, consumer, handler, noted } from './app.ts';

export const CONTRACT_TABLES =
  'CREATE TABLE orders (id integer PRIMARY KEY, name text); CREATE TABLE other (id integer PRIMARY KEY)';

/** A fresh database with these tables: `orders (id, name)` and `other (id)`, both with `id` as primary key. */
export interface SourceUnderTest {
  /** The source `app:orders` over it, and what it needs. */
  entries(more?: object): readonly object[];
  /** Runs SQL before the program is there. */
  prepare(text: string): Promise<unknown>;
  /** Runs SQL beside the program, or through it where only that is captured. */
  run(program: InProcess, text: string): Promise<unknown>;
  /** The label `slot`. */
  readonly label: string;
  readonly schema: string;
  readonly relation: string;
  /** A whole number as it comes out. */
  readonly number: (value: number) => unknown;
  readonly eventSystem: string;
  /** `faas.document.collection` and `db.system.name`. */
  readonly collection: string;
  readonly system: string;
}

const NOTE = handler(
  'handle',
  `local change = ... local row = change.after or change.before or {}
   logger:info('change', { op = change.op, id = row.id, name = row.name, table = change.table, change = change })`,
);
const QUEUES = [
  { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
  { name: 'jobs', kind: 'queue.queue', driver: 'driver' },
  { name: 'dead', kind: 'queue.queue', driver: 'driver' },
];
const ids = (program: InProcess): number[] => noted(program, 'change').map(({ id }) => Number(id));
const seen = (program: InProcess, count: number) => poll(`${count} changes`, () => ids(program).length >= count);
const steps = (program: InProcess) => noted(program, 'change').map(({ op, id, table }) => `${op} ${table} ${id}`);

/** What every source promises, whatever database is behind it (architecture.md, "A surface is one folder"). */
export const sourceContract = (
  name: string,
  make: ((t: Test) => Promise<SourceUnderTest>) | undefined,
  skip: string | false = false,
): void => {
  const check = (what: string, body: (t: Test, under: SourceUnderTest) => Promise<void>) =>
    test(`${name}: ${what}`, { skip }, async (t) => {
      if (make !== undefined) await body(t, await make(t));
    });
  const started = async (t: Test, under: SourceUnderTest, entries: readonly object[], more: object = {}) => {
    const program = await cdcApp(t, [...under.entries(more), ...entries]);
    await poll('it reads', () => program.lines().some(({ msg }) => msg === 'change capture reads'));
    return program;
  };

  check('one shape of changes, in the order of commits, without what was rolled back', async (t, under) => {
    const program = await started(t, under, [consumer(), NOTE]);
    await under.run(program, `INSERT INTO orders VALUES (1, 'a'); INSERT INTO orders VALUES (2, NULL)`);
    await under.run(program, `BEGIN; INSERT INTO orders VALUES (3, 'gone'); ROLLBACK`);
    await under.run(program, `UPDATE orders SET name = 'b' WHERE id = 1; DELETE FROM orders WHERE id = 1`);
    await seen(program, 4);
    t.same(steps(program), ['insert orders 1', 'insert orders 2', 'update orders 1', 'delete orders 1']);
    const [first, second, update, gone] = noted(program, 'change').map(
      ({ change }) => change as Record<string, unknown>,
    );
    t.match(first, {
      source: 'app:orders',
      source_id: 'app:orders',
      op: 'insert',
      schema: under.schema,
      table: 'orders',
      relation: under.relation,
      lsn: String,
      cursor: String,
      generation: String,
      after: { id: under.number(1), name: 'a' },
    });
    t.notOk(first && 'before' in first);
    t.same(second?.after, { id: under.number(2) }, 'NULL is absent');
    t.same(update?.after, { id: under.number(1), name: 'b' });
    t.match(gone?.before, { id: under.number(1) });
    t.notOk(gone && 'after' in gone);
  });

  check('every metric, with its exact value; no series before its first use', async (t, under) => {
    const program = await started(t, under, [consumer({ ops: ['insert', 'update'] }), NOTE], {
      status_interval: '50ms',
    });
    const labels = { slot: under.label };
    const before = await program.scrape();
    t.equal(total(before, 'wippy_cdc_changes_total', labels), undefined);
    t.equal(total(before, 'wippy_cdc_lag_seconds', labels), 0);
    await under.run(
      program,
      `INSERT INTO orders VALUES (1, 'a'), (2, 'b'); UPDATE orders SET name = 'x'; DELETE FROM orders WHERE id = 1`,
    );
    await seen(program, 4);
    const found = await poll('all is handled', async () => {
      const scraped = await program.scrape();
      const isDone = total(scraped, 'wippy_cdc_changes_total', { ...labels, op: 'delete' }) === 1;
      return isDone && total(scraped, 'wippy_cdc_lag_seconds', labels) === 0 && scraped;
    });
    t.same(
      select(found, 'wippy_cdc_changes_total')
        .map(({ labels: { op, slot }, value }) => [slot, op, value])
        .sort(),
      [
        [under.label, 'delete', 1],
        [under.label, 'insert', 2],
        [under.label, 'update', 2],
      ],
    );
    t.equal(total(found, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'ok' }), 4);
    t.equal(total(found, 'wippy_cdc_errors_total', labels), undefined);
    t.ok((total(found, 'wippy_cdc_retained_wal_bytes', labels) ?? -1) >= 0);
    t.equal(total(found, 'wippy_component_degraded_seconds_total', { component: 'app:orders' }), 0);
    const activity = total(found, 'wippy_component_last_activity_unix_seconds', { component: 'app:orders' });
    t.ok(Math.abs((activity ?? 0) - Date.now() / 1000) < 60, 'rule 17');
  });

  check('tables of the source, tables and ops of the consumer choose', async (t, under) => {
    const tables = [`${under.schema}.Orders`, 'other'];
    const program = await started(t, under, [consumer({ tables: tables.slice(0, 1), ops: ['delete'] }), NOTE], {
      tables: ['orders', 'other'],
    });
    await under.run(
      program,
      `INSERT INTO other VALUES (1); INSERT INTO orders VALUES (2, 'a'); DELETE FROM other; DELETE FROM orders`,
    );
    await seen(program, 1);
    t.same(steps(program), ['delete orders 2']);
    const changes = async () => total(await program.scrape(), 'wippy_cdc_changes_total', { slot: under.label });
    await poll('captured are all four', async () => (await changes()) === 4);
  });

  check('a snapshot comes before what changes, once and without a gap', async (t, under) => {
    await under.prepare(`INSERT INTO orders VALUES (1, 'there'), (2, 'there')`);
    const program = await started(t, under, [consumer(), NOTE], { snapshot: true });
    await under.run(program, `INSERT INTO orders VALUES (3, 'new')`);
    await seen(program, 3);
    t.same(steps(program), ['snapshot orders 1', 'snapshot orders 2', 'insert orders 3']);
    const [row] = noted(program, 'change').map(({ change }) => change as Record<string, unknown>);
    t.match(row, { op: 'snapshot', relation: under.relation, after: { id: under.number(1), name: 'there' } });
  });

  check('a failure that may pass is tried again in its place, and every attempt is measured', async (t, under) => {
    const failing = handler(
      'handle',
      `local change = ... seen = seen + 1
       if seen < 4 then return nil, errors.new({ kind = 'Unavailable', message = 'not now', retryable = true }) end
       logger:info('change', { id = change.after.id })`,
    );
    const program = await started(t, under, [consumer({ retry: { initial_delay: '1ms' } }), failing]);
    await under.run(program, `INSERT INTO orders VALUES (1, 'a'); INSERT INTO orders VALUES (2, 'b')`);
    await seen(program, 2);
    t.same(ids(program), [1, 2]);
    const labels = { slot: under.label };
    const measured = await program.scrape();
    t.equal(total(measured, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'error' }), 3);
    t.equal(total(measured, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'ok' }), 2);
    t.equal(total(measured, 'wippy_cdc_errors_total', labels), undefined, 'no failure of the source');
  });

  check('on_failure: skip counts, dead_letter keeps, and both go on', async (t, under) => {
    const program = await started(t, under, [
      consumer({ on_failure: 'skip' }),
      consumer({ name: 'burying', on_failure: 'dead_letter', dead_letter: { queue: 'dead' } }),
      handler(
        'handle',
        `local change = ... if tostring(change.after.id) == '2' then error('no such thing') end logger:info('change', { id = change.after.id })`,
      ),
      ...QUEUES,
      { name: 'worker', kind: 'queue.consumer', func: 'work', queue: 'dead', lifecycle: { auto_start: true } },
      handler(
        'work',
        `local change = ... logger:info('dead', { change = change, from = queue.message():header('x_dead_letter_queue') })`,
      ),
    ]);
    await under.run(program, `INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
    await seen(program, 4);
    t.same(ids(program).sort(), [1, 1, 3, 3]);
    const [dead] = await poll('the dead one', () => noted(program, 'dead').length > 0 && noted(program, 'dead'));
    t.match(dead, { from: 'app:orders', change: { op: 'insert', after: { id: under.number(2), name: 'b' } } });
    t.equal(total(await program.scrape(), 'wippy_cdc_errors_total', { slot: under.label }), 2);
  });

  check('on_failure stop: the source waits, is degraded, and what it keeps grows', async (t, under) => {
    const program = await started(
      t,
      under,
      [
        consumer(),
        handler(
          'handle',
          `local change = ... if tostring(change.after.id) == '2' then error('no such thing') end logger:info('change', { id = change.after.id })`,
        ),
      ],
      { status_interval: '50ms' },
    );
    for (const id of [1, 2, 3]) await under.run(program, `INSERT INTO orders VALUES (${id}, 'a')`);
    const labels = { slot: under.label };
    const value = async (name: string, of: Record<string, string> = labels) =>
      total(await program.scrape(), name, of) ?? 0;
    await poll('it is counted', async () => (await value('wippy_cdc_errors_total')) === 1);
    t.match(
      program.lines().find(({ msg }) => String(msg).startsWith('change capture waits')),
      { level: 'error', error: /no such thing/, source: 'app:orders', slot: under.label, subsystem: 'cdc' },
    );
    const lag = await value('wippy_cdc_lag_seconds');
    await poll('the lag grows', async () => (await value('wippy_cdc_lag_seconds')) > lag);
    const degraded = () => value('wippy_component_degraded_seconds_total', { component: 'app:orders' });
    const since = await degraded();
    await poll('degraded as long as it lasts', async () => (await degraded()) > since);
    const retained = await value('wippy_cdc_retained_wal_bytes');
    await under.run(
      program,
      `INSERT INTO orders VALUES ${Array.from({ length: 500 }, (_, i) => `(${i + 10}, 'x')`).join(', ')}`,
    );
    await poll('what is kept grows', async () => (await value('wippy_cdc_retained_wal_bytes')) > retained);
    t.same(ids(program), [1]);
  });

  check('concurrency: keys side by side, each in its order, through a change of the key', async (t, under) => {
    const program = await started(t, under, [
      consumer({ concurrency: 8 }),
      handler(
        'handle',
        `local change = ... local row = change.after or change.before
         logger:info('begin', { id = row.id, name = row.name })
         time.sleep(tostring(row.id) == '1' and '30ms' or '5ms')
         logger:info('end', { id = row.id, name = row.name })`,
      ),
    ]);
    const rows = Array.from({ length: 8 }, (_, i) => `(${i + 1}, '0')`).join(', ');
    await under.run(
      program,
      `INSERT INTO orders VALUES ${rows}; UPDATE orders SET name = '1'; UPDATE orders SET name = '2';
       UPDATE orders SET id = 100 WHERE id = 1; UPDATE orders SET name = '3' WHERE id = 100; INSERT INTO orders VALUES (1, 'last')`,
    );
    await poll('all of it', () => noted(program, 'end').length >= 27);
    const all = program.lines().filter(({ msg }) => msg === 'begin' || msg === 'end');
    let most = 0;
    let now = 0;
    for (const { msg } of all) {
      now += msg === 'begin' ? 1 : -1;
      most = Math.max(most, now);
    }
    t.ok(most > 1 && most <= 8, `${most} at once`);
    const of = (id: number) =>
      noted(program, 'begin')
        .filter((one) => Number(one.id) === id)
        .map((one) => one.name);
    t.same(of(5), ['0', '1', '2']);
    t.same(
      [of(1), of(100)],
      [
        ['0', '1', '2', 'last'],
        ['2', '3'],
      ],
    );
    const first = all
      .filter(({ id, name: row }) => [1, 100].includes(Number(id)) && row !== 'last')
      .map(({ msg }) => msg);
    t.same(
      first,
      first.map((_, i) => (i % 2 === 0 ? 'begin' : 'end')),
      'one after the other',
    );
  });

  check('a consumer that cannot keep up: the source reads no further, and loses nothing', async (t, under) => {
    const program = await started(t, under, [
      consumer(),
      {
        ...handler(
          'handle',
          `local change = ... local gate = assert(store.get('app:gate'))
           while not gate:get('open') do time.sleep('5ms') end logger:info('change', { id = change.after.id })`,
        ),
        modules: ['store', 'time', 'logger'],
      },
      { ...handler('open', `assert(store.get('app:gate')):set('open', true)`), modules: ['store'] },
      { name: 'gate', kind: 'store.memory', lifecycle: { auto_start: true } },
    ]);
    const rows = Array.from({ length: 4000 }, (_, i) => `(${i + 1}, '${'x'.repeat(50)}')`).join(', ');
    await under.run(program, `INSERT INTO orders VALUES ${rows}`);
    const captured = async () => total(await program.scrape(), 'wippy_cdc_changes_total', { slot: under.label }) ?? 0;
    await poll('it captures all that it may', async () => (await captured()) >= 1000);
    const first = await captured();
    t.ok(first < 3000, `${first} captured while the first is handled`);
    await program.call('app:open');
    await poll('all of them', () => ids(program).length >= 4000, { deadlineMs: 90_000, everyMs: 500 });
    t.same(
      ids(program),
      Array.from({ length: 4000 }, (_, i) => i + 1),
    );
  });

  check('a queue as the target, and the events of the bus', async (t, under) => {
    const program = await started(
      t,
      under,
      [
        consumer({ func: undefined, queue: 'jobs' }),
        ...QUEUES,
        { name: 'worker', kind: 'queue.consumer', func: 'handle', queue: 'jobs', lifecycle: { auto_start: true } },
        NOTE,
        { name: 'host', kind: 'process.host', lifecycle: { auto_start: true } },
        {
          name: 'listening',
          kind: 'process.service',
          process: 'listener',
          host: 'host',
          lifecycle: { auto_start: true, stop_timeout: '200ms' },
        },
        {
          name: 'listener',
          kind: 'process.lua',
          method: 'main',
          modules: ['events', 'logger'],
          source: `return { main = function() local ch = events.subscribe('${under.eventSystem}', '*'):channel() logger:info('listens')
            while true do local e = ch:receive() logger:info('bus', { kind = e.kind, path = e.path, data = e.data }) end end }`,
        },
      ],
      { status_interval: '50ms' },
    );
    await poll('it listens', () => noted(program, 'listens').length > 0);
    await under.run(program, `INSERT INTO orders VALUES (1, 'a')`);
    await seen(program, 1);
    t.match(noted(program, 'change')[0]?.change, { op: 'insert', after: { id: under.number(1) } });
    const event = (kind: string) =>
      poll(`an event ${kind}`, () => noted(program, 'bus').find((one) => one.kind === kind));
    t.match(await event('change'), {
      path: `${under.schema}.orders`,
      data: {
        op: 'insert',
        schema: under.schema,
        table: 'orders',
        lsn: String,
        after: { id: under.number(1), name: 'a' },
      },
    });
    t.match(await event('status'), { path: under.label, data: { slot: under.label, retained_wal_bytes: Number } });
  });

  check(
    'the span of the handler says what it is about, and that of the delivery where it is asked for',
    async (t, under) => {
      const program = await cdcApp(t, [...under.entries(), consumer(), NOTE], { set: { 'otel.cdc.spans': true } });
      await poll('it reads', () => program.lines().some(({ msg }) => msg === 'change capture reads'));
      await under.run(program, `INSERT INTO orders VALUES (1, 'a')`);
      await seen(program, 1);
      const span = await poll('a span', () => program.recorder.spans({ name: 'app:handle' })[0]);
      t.equal(span.kind, 'consumer');
      t.match(span.attributes, {
        'faas.trigger': 'datasource',
        'faas.document.collection': under.collection,
        'faas.document.name': under.relation,
        'faas.document.operation': 'insert',
        'faas.document.time': /^\d{4}-\d\d-\d\dT/,
      });
      const [delivery] = program.recorder.spans({ name: `process ${under.relation}` });
      t.equal(delivery?.kind, 'consumer');
      t.equal(span.parentSpanId, delivery?.spanId);
      t.same(delivery?.attributes, {
        'db.system.name': under.system,
        'db.namespace': under.collection,
        'db.collection.name': 'orders',
        'db.operation.name': 'insert',
      });
    },
  );
};

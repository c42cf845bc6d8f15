import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { type Test, test } from 'tap';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { total } from '../../harness/prometheus-text.ts';
import { cdcApp, consumer, handler, noted } from './app.ts';
import { databaseFile, sqliteEntries } from './sqlite-app.ts';

const NOTE = handler(
  'handle',
  `local change = ... local row = change.after or change.before
   logger:info('change', { op = change.op, id = row.id, name = row.name, generation = change.generation })`,
);
const ORDERS = 'CREATE TABLE orders (id integer PRIMARY KEY, name text)';
const labels = { slot: 'app:orders' };
const seen = (program: InProcess, count: number) =>
  poll(`${count} changes`, () => noted(program, 'change').length >= count);
const ids = (program: InProcess) => noted(program, 'change').map(({ op, id }) => `${op} ${id}`);
const lineOf = (program: InProcess, text: string) => program.lines().find(({ msg }) => msg === text);
const running = (program: InProcess) => poll('it reads', () => lineOf(program, 'change capture reads'));
/** A file with the table, and a connection of another program. */
const fileWith = (t: Test, tables = ORDERS): { file: string; beside: DatabaseSync } => {
  const file = databaseFile(t);
  const beside = new DatabaseSync(file, { timeout: 10_000 });
  t.teardown(() => beside.close());
  beside.exec(`PRAGMA journal_mode = WAL; ${tables}`);
  return { file, beside };
};
/** A program that can be stopped before the test ends. */
const stoppable = async (t: Test, entries: readonly object[]) => {
  const ends: (() => void | Promise<unknown>)[] = [];
  const program = await cdcApp({ testdir: t.testdir.bind(t), teardown: (end) => void ends.push(end) }, entries);
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0)) await end();
  };
  t.teardown(stop);
  return { program, stop };
};

test('not durable: only what the app itself writes, from its start on, and nothing in the file', async (t) => {
  const { file, beside } = fileWith(t);
  const { program, stop } = await stoppable(t, [...sqliteEntries(file), consumer(), NOTE]);
  await running(program);
  beside.exec(`INSERT INTO orders VALUES (1, 'of another program')`);
  await program.call('app:sql', [`INSERT INTO orders VALUES (2, 'ours')`]);
  await seen(program, 1);
  await stop();
  t.same(ids(program), ['insert 2']);
  t.same(beside.prepare(`SELECT name FROM sqlite_schema WHERE name LIKE 'perilune%'`).all(), []);
  beside.exec(`INSERT INTO orders VALUES (3, 'while it is away')`);
  const second = await cdcApp(t, [...sqliteEntries(file), consumer(), NOTE]);
  await running(second);
  await second.call('app:sql', [`INSERT INTO orders VALUES (4, 'ours')`]);
  await seen(second, 1);
  t.same(ids(second), ['insert 4']);
  t.not(noted(program, 'change')[0]?.generation, noted(second, 'change')[0]?.generation);
});

test('not durable: a database in memory', async (t) => {
  const program = await cdcApp(t, [...sqliteEntries(':memory:', { snapshot: true }), consumer(), NOTE]);
  await running(program);
  await program.call('app:sql', [`${ORDERS}; INSERT INTO orders VALUES (1, 'a')`]);
  await seen(program, 1);
  t.same(ids(program), ['insert 1']);
  await t.rejects(cdcApp(t, sqliteEntries(':memory:', { durable: true })), {
    message: /a durable change log needs a database in a file: app:shop is :memory:/,
  });
});

test('durable: a stop and a start lose nothing and repeat nothing, whoever has written meanwhile', async (t) => {
  const { file, beside } = fileWith(t);
  const entries = [...sqliteEntries(file, { durable: true }), consumer(), NOTE];
  const { program, stop } = await stoppable(t, entries);
  await running(program);
  beside.exec(`INSERT INTO orders VALUES (1, 'beside')`);
  await program.call('app:sql', [`INSERT INTO orders VALUES (2, 'ours')`]);
  await seen(program, 2);
  await stop();
  beside.exec(`UPDATE orders SET name = 'meanwhile' WHERE id = 1; BEGIN; DELETE FROM orders; ROLLBACK`);
  const second = await cdcApp(t, entries);
  await seen(second, 1);
  await second.call('app:sql', [`INSERT INTO orders VALUES (3, 'ours')`]);
  await seen(second, 2);
  t.same([...ids(program), ...ids(second)], ['insert 1', 'insert 2', 'update 1', 'insert 3']);
  t.equal(noted(program, 'change')[0]?.generation, noted(second, 'change')[0]?.generation);
  await poll('what is handled is forgotten', () => {
    const left = beside.prepare('SELECT count(*) AS n FROM perilune_cdc_changes').get() as { n: number };
    return left.n === 0;
  });
});

test('durable: a snapshot that was broken off is taken again, from its first row, and only then never again', async (t) => {
  const { file, beside } = fileWith(t);
  beside.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) INSERT INTO orders SELECT i, 'there' FROM n`,
  );
  const entries = (body: string) => [
    ...sqliteEntries(file, { durable: true, snapshot: true }),
    consumer(),
    handler('handle', `local change = ... ${body} logger:info('change', { op = change.op, id = change.after.id })`),
  ];
  const first = await stoppable(t, entries(`time.sleep('1ms')`));
  await seen(first.program, 10);
  await first.stop();
  t.ok(ids(first.program).length < 1500, `stopped after ${ids(first.program).length}`);
  beside.exec(`INSERT INTO orders VALUES (1501, 'later')`);
  const second = await stoppable(t, entries(''));
  await seen(second.program, 1501);
  beside.exec(`INSERT INTO orders VALUES (1502, 'live')`);
  await seen(second.program, 1502);
  t.same(
    ids(second.program),
    Array.from({ length: 1502 }, (_, i) => `${i < 1501 ? 'snapshot' : 'insert'} ${i + 1}`),
  );
  await second.stop();
  const third = await cdcApp(t, entries(''));
  await running(third);
  beside.exec(`INSERT INTO orders VALUES (1503, 'after')`);
  await seen(third, 1);
  t.same(ids(third), ['insert 1503']);
});

test('two sources of one database: each its tables and its cursor, one durable and one not', async (t) => {
  const { file } = fileWith(t, `${ORDERS}; CREATE TABLE other (id integer PRIMARY KEY)`);
  const [db, first, ...rest] = sqliteEntries(file, { durable: true, tables: ['orders'] });
  const note = (name: string) =>
    handler(
      name,
      `local change = ... logger:info('change', { op = '${name}', id = change.table .. change.after.id, name = change.source })`,
    );
  const program = await cdcApp(t, [
    db as object,
    first as object,
    ...rest,
    { ...first, name: 'others', tables: undefined, durable: false },
    { ...first, name: 'third', tables: ['main.other'] },
    consumer({ func: 'a' }),
    consumer({ name: 'b.consumer', source: 'others', func: 'b' }),
    consumer({ name: 'c.consumer', source: 'third', func: 'c' }),
    note('a'),
    note('b'),
    note('c'),
  ]);
  await poll('all read', () => program.lines().filter(({ msg }) => msg === 'change capture reads').length === 3);
  await program.call('app:sql', [`INSERT INTO orders VALUES (1, 'x'); INSERT INTO other VALUES (2)`]);
  await seen(program, 4);
  t.same(ids(program).sort(), ['a orders1', 'b orders1', 'b other2', 'c other2']);
});

test('Lua that writes within a trace: the handler is linked to it, without anything said', async (t) => {
  for (const durable of [false, true]) {
    const { file } = fileWith(t);
    const program = await cdcApp(t, [
      ...sqliteEntries(file, { durable }),
      consumer({ concurrency: 4 }),
      NOTE,
      {
        name: 'write',
        kind: 'function.lua',
        method: 'main',
        modules: ['sql'],
        source: `return function() local db = assert(sql.get('app:shop')) local tx = assert(db:begin())
          assert(tx:execute("INSERT INTO orders VALUES (1, 'a')")) assert(tx:execute("INSERT INTO orders VALUES (2, 'a')")) assert(tx:commit())
          assert(db:execute("INSERT INTO orders VALUES (3, 'b')")) end`,
      },
    ]);
    await running(program);
    await program.call('app:write');
    await seen(program, 3);
    const spans = await poll('spans', () => {
      const found = program.recorder.spans({ name: 'app:handle' });
      return found.length === 3 && found;
    });
    const writer = program.recorder.span({ name: 'app:write' });
    const linked = spans.map(({ links }) => links.map(({ traceId }) => traceId));
    t.same(linked, [[writer.traceId], [writer.traceId], []], 'a statement on its own is not marked');
    t.not(spans[0]?.traceId, writer.traceId, 'a link, not a parent');
    t.equal(total(await program.scrape(), 'wippy_cdc_changes_total', labels), 3, 'the mark is no change');
  }
});

test('the trace of a transaction is still known after a kill in its midst', async (t) => {
  const { file, beside } = fileWith(t);
  const first = await stoppable(t, sqliteEntries(file, { durable: true }));
  await running(first.program);
  await first.stop();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  beside.exec(`INSERT INTO perilune_cdc_changes (time, op, after, until) SELECT 0, 'trace', '00-${traceId}-b7ad6b7169203331-01', seq + 3
    FROM sqlite_sequence WHERE name = 'perilune_cdc_changes' UNION ALL SELECT 0, 'trace', '00-${traceId}-b7ad6b7169203331-01', 3 LIMIT 1;
    INSERT INTO orders VALUES (1, 'a'), (2, 'b'); INSERT INTO orders VALUES (3, 'c')`);
  const body = `local change = ... if change.after.id == 2 then error('no') end logger:info('change', { id = change.after.id })`;
  const entries = (text: string) => [...sqliteEntries(file, { durable: true }), consumer(), handler('handle', text)];
  const second = await stoppable(t, entries(body));
  await seen(second.program, 1);
  await second.stop();
  const third = await cdcApp(t, entries(`local change = ... logger:info('change', { id = change.after.id })`));
  await seen(third, 3);
  t.same(
    noted(third, 'change').map(({ id }) => id),
    [1, 2, 3],
    'the whole transaction comes again',
  );
  const spans = third.recorder.spans({ name: 'app:handle' });
  t.same(
    spans.map(({ links }) => links.length),
    [1, 1, 0],
  );
});

test('rule 20: listed tables that do not exist are told each tick, until they do', async (t) => {
  const { file, beside } = fileWith(t, 'CREATE TABLE other (id)');
  const program = await cdcApp(t, [
    ...sqliteEntries(file, { durable: true, tables: ['other', 'Orders'], status_interval: '50ms' }),
    consumer(),
    NOTE,
  ]);
  const line = await poll('it says so', () => lineOf(program, 'change capture lacks tables'));
  t.match(line, { level: 'error', error: 'app:shop has no such tables: Orders. Create them, or correct `tables`.' });
  const value = async (name: string, of: Record<string, string>) => total(await program.scrape(), name, of) ?? 0;
  const degraded = () => value('wippy_component_degraded_seconds_total', { component: 'app:orders' });
  const [first, counted] = [await degraded(), await value('wippy_cdc_errors_total', labels)];
  await poll('it rises', async () => (await degraded()) > first);
  await poll('counted once a tick', async () => (await value('wippy_cdc_errors_total', labels)) > counted);
  t.equal(
    program.lines().filter(({ msg, level }) => msg === 'change capture lacks tables' && level === 'error').length,
    1,
  );
  beside.exec(ORDERS);
  await poll('it works again', () => lineOf(program, 'change capture works again'));
  beside.exec(`INSERT INTO orders VALUES (1, 'a')`);
  await seen(program, 1);
});

test('a database that another program has locked: told and counted, and nothing is lost', async (t) => {
  const { file, beside } = fileWith(t);
  const [db, ...rest] = sqliteEntries(file, { durable: true });
  const quick = { ...db, pool: { busy_timeout: '20ms' } };
  const program = await cdcApp(t, [quick, ...rest, consumer(), NOTE]);
  await running(program);
  beside.exec(`INSERT INTO orders VALUES (1, 'a'); BEGIN IMMEDIATE`);
  await seen(program, 1);
  const line = await poll('it is told', () => lineOf(program, 'the position could not be written down'));
  t.match(line, { level: 'error', error: /locked/, source: 'app:orders' });
  t.ok((total(await program.scrape(), 'wippy_cdc_errors_total', labels) ?? 0) >= 1);
  beside.exec('COMMIT');
  beside.exec(`INSERT INTO orders VALUES (2, 'b')`);
  await seen(program, 2);
  await poll('it is written down', () => {
    const kept = beside.prepare('SELECT position FROM perilune_cdc_sources').get() as { position: number };
    return kept.position === 2;
  });
});

test('changes that somebody has removed from the log are passed over', async (t) => {
  const { file, beside } = fileWith(t);
  const first = await stoppable(t, [...sqliteEntries(file, { durable: true }), consumer(), NOTE]);
  await running(first.program);
  await first.stop();
  beside.exec(`INSERT INTO orders VALUES (1, 'a'); DELETE FROM perilune_cdc_changes`);
  const second = await cdcApp(t, [...sqliteEntries(file, { durable: true }), consumer(), NOTE]);
  await running(second);
  await second.call('app:sql', [`INSERT INTO orders VALUES (2, 'b')`]);
  await seen(second, 1);
  t.same(ids(second), ['insert 2']);
});

test('a start that fails says why, and the declarations know what belongs together', async (t) => {
  const { file } = fileWith(t);
  const [db] = sqliteEntries(file);
  const orders = { name: 'orders', kind: 'db.cdc.sqlite', db_resource: 'nothing', lifecycle: { auto_start: true } };
  await t.rejects(cdcApp(t, [db as object, orders]), { message: /db_resource/ });
  await t.rejects(cdcApp(t, [db as object, { ...orders, db_resource: undefined }]), {
    message: /db_resource is required/,
  });
  // The database starts because the source needs it.
  const program = await cdcApp(t, [
    { ...db, lifecycle: {} },
    { ...orders, db_resource: 'shop' },
  ]);
  await running(program);
});

test("the database's thread ends and comes back: told and counted, durable ones go on where they were", async (t) => {
  const workers: Worker[] = [];
  const remember = (worker: Worker): void => void workers.push(worker);
  process.on('worker', remember);
  t.teardown(() => process.off('worker', remember));
  const { file, beside } = fileWith(t);
  const [db, first, ...rest] = sqliteEntries(file, { durable: true });
  const lifecycle = { auto_start: true, restart: { initial_delay: '50ms', max_delay: '200ms' } };
  const note = handler(
    'other',
    `local change = ... logger:info('other', { id = change.after.id, generation = change.generation })`,
  );
  const program = await cdcApp(t, [
    { ...db, lifecycle },
    first as object,
    ...rest,
    { ...first, name: 'others', durable: false },
    consumer(),
    NOTE,
    consumer({ name: 'b.consumer', source: 'others', func: 'other' }),
    note,
  ]);
  await poll('both read', () => program.lines().filter(({ msg }) => msg === 'change capture reads').length === 2);
  await program.call('app:sql', [`INSERT INTO orders VALUES (1, 'a')`]);
  await seen(program, 1);
  await poll('the other', () => noted(program, 'other').length === 1);
  t.equal(workers.length, 1);
  await workers[0]?.terminate();
  const line = await poll('it is told', () => lineOf(program, 'change capture has lost its source'));
  t.match(line, { level: 'error', source: /^app:others?|^app:orders/, error: /database/ });
  beside.exec(`INSERT INTO orders VALUES (2, 'meanwhile')`);
  await seen(program, 2);
  await poll('both are back', () => program.lines().filter(({ msg }) => msg === 'change capture reads').length === 4);
  await program.call('app:sql', [`INSERT INTO orders VALUES (3, 'c')`]);
  await seen(program, 3);
  t.same(ids(program), ['insert 1', 'insert 2', 'insert 3'], 'nothing lost, nothing twice');
  await poll('the other goes on', () => noted(program, 'other').some(({ id }) => id === 3));
  t.same(
    noted(program, 'other').map(({ id }) => id),
    [1, 3],
  );
  const scraped = await program.scrape();
  t.ok((total(scraped, 'wippy_cdc_errors_total', labels) ?? 0) >= 1);
  const degraded = async () =>
    total(await program.scrape(), 'wippy_component_degraded_seconds_total', { component: 'app:orders' }) ?? 0;
  const after = await degraded();
  t.ok(after > 0);
  t.equal(await degraded(), after, 'the interval has ended');
});

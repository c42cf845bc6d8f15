import { DatabaseSync } from 'node:sqlite';
import { test } from 'tap';
import { pushedSeries, textSeries } from '../../boot/program/both-sinks.ts';
import { DOCUMENTED_OF_CDC } from '../../boot/program/documented-metrics.ts';
import { startOtlpCollector } from '../../harness/otlp-collector.ts';
import { poll } from '../../harness/poll.ts';
import { type Program, startProgram } from '../../harness/program.ts';
import { total } from '../../harness/prometheus-text.ts';
import { appFolder, consumer, handler } from './app.ts';
import { databaseFile, sqliteEntries } from './sqlite-app.ts';

const ORDERS = 'CREATE TABLE orders (id integer PRIMARY KEY, name text)';
const labels = { slot: 'app:orders' };
/** `POST /sql`: the body runs in one statement after the other; the answer comes when all of it is committed. */
const GATEWAY = [
  { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:${APP_PORT|0}', lifecycle: { auto_start: true } },
  { name: 'api', kind: 'http.router', meta: { server: 'gateway' } },
  { name: 'write.e', kind: 'http.endpoint', meta: { router: 'api' }, method: 'POST', path: '/sql', func: 'write' },
  {
    name: 'write',
    kind: 'function.lua',
    method: 'main',
    modules: ['sql', 'http'],
    source: `return function() local db = assert(sql.get('app:shop')) assert(db:execute(http.request():body()))
      http.response():write_json({ ok = true }) end`,
  },
];
const SLOW = handler(
  'handle',
  `local change = ... time.sleep('5ms') print('handled ' .. tostring((change.after or change.before).id))`,
);
const handled = ({ output }: Program): number[] => [...output().matchAll(/handled (\d+)/g)].map(([, id]) => Number(id));
const write = async (program: Program, text: string): Promise<void> => {
  const response = await fetch(program.url('APP_PORT', '/sql'), { method: 'POST', body: text });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}\n${program.output()}`);
  await response.text();
};
const inserts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `INSERT INTO orders VALUES (${from + i}, 'n')`).join('; ');
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

test('durable: SIGKILL between commit and handling loses nothing, and only what was not written down comes again', async (t) => {
  const file = databaseFile(t);
  const beside = new DatabaseSync(file, { timeout: 10_000 });
  t.teardown(() => beside.close());
  beside.exec(`PRAGMA journal_mode = WAL; ${ORDERS}`);
  const folder = appFolder(t, [...sqliteEntries(file, { durable: true }), ...GATEWAY, consumer(), SLOW]);
  const start = () => startProgram(t, folder, { ports: ['APP_PORT'] });

  const first = await start();
  await write(first, inserts(1, 300));
  await poll('half of it is handled', () => handled(first).length >= 150);
  await first.kill();
  const before = handled(first);
  t.ok(before.length < 300, `killed after ${before.length}`);
  const waiting = beside.prepare('SELECT count(*) AS n FROM perilune_cdc_changes').get() as { n: number };
  t.ok(waiting.n >= 300 - before.length, `${waiting.n} changes wait in the file`);
  // Killed within a transaction: nothing of it may ever be seen.
  beside.exec(`BEGIN; ${inserts(1000, 1001)}; ROLLBACK; ${inserts(301, 302)}`);

  const second = await start();
  await poll('the rest is handled', () => handled(second).includes(302));
  const [resumed = 0] = handled(second);
  t.same(handled(second), from(resumed, 302), 'in order, without a gap');
  t.ok(resumed <= before.length + 1, `nothing is lost: ${before.length} handled, goes on with ${resumed}`);
  t.ok(resumed > 1, 'what was written down does not come again');

  t.test('a clean stop writes everything down', async (t) => {
    t.equal((await second.stop()).code, 0, second.output());
    const third = await start();
    await write(third, inserts(303, 303));
    await poll('the next is handled', () => handled(third).includes(303));
    t.same(handled(third), [303]);
    t.equal((await third.stop()).code, 0, third.output());
  });
});

test('durable: SIGKILL in the midst of writing, again and again: every committed row is handled', async (t) => {
  const file = databaseFile(t);
  const quick = handler('handle', `local change = ... print('handled ' .. tostring(change.after.id))`);
  const folder = appFolder(t, [...sqliteEntries(file, { durable: true }), ...GATEWAY, consumer(), quick]);
  const all = new Set<number>();
  let next = 1;
  for (let round = 0; round < 4; round += 1) {
    const program = await startProgram(t, folder, { ports: ['APP_PORT'] });
    if (round === 0) await write(program, ORDERS);
    const writing = (async () => {
      for (;;) {
        await write(program, `BEGIN; ${inserts(next, next + 2)}; COMMIT`);
        next += 3;
      }
    })().catch(() => {}); // the kill ends it
    await poll('some are handled', () => handled(program).length >= 40 * (round + 1));
    await program.kill();
    await writing;
    for (const id of handled(program)) all.add(id);
    next += 3; // what was on its way may have been committed
  }
  const last = await startProgram(t, folder, { ports: ['APP_PORT'] });
  await write(last, `INSERT INTO orders VALUES (1000000, 'end')`);
  await poll('the end', () => handled(last).includes(1_000_000));
  for (const id of handled(last)) all.add(id);
  await last.stop();
  const beside = new DatabaseSync(file);
  t.teardown(() => beside.close());
  const stored = beside
    .prepare('SELECT id FROM orders ORDER BY id')
    .all()
    .map(({ id }) => id as number);
  t.ok(stored.length > 150, `${stored.length} rows`);
  t.same(
    [...all].sort((a, b) => a - b),
    stored,
    'neither more nor less than what is committed',
  );
});

for (const durable of [false, true]) {
  test(`rules 14 and 15: every documented metric, exact, in both sinks (${durable ? 'durable' : 'not durable'})`, async (t) => {
    const collector = await startOtlpCollector();
    t.teardown(() => collector.close());
    const failing = handler(
      'handle',
      `local change = ... if (change.after or change.before).id == 2 then error('no') end print('handled ' .. tostring((change.after or change.before).id))`,
    );
    const entries = [
      ...sqliteEntries(databaseFile(t), { durable, status_interval: '50ms' }),
      ...GATEWAY,
      consumer({ on_failure: 'skip' }),
      failing,
    ];
    const program = await startProgram(t, appFolder(t, entries), {
      ports: ['APP_PORT'],
      set: {
        'otel.enabled': true,
        'otel.endpoint': collector.url,
        'otel.metrics_enabled': true,
        'otel.metric_export_interval': '10m',
      },
    });
    await write(
      program,
      `${ORDERS}; ${inserts(1, 3)}; UPDATE orders SET name = 'x' WHERE id = 1; DELETE FROM orders WHERE id = 3`,
    );
    const scraped = await poll('all is handled and forgotten', async () => {
      const found = await program.scrape();
      const isDone =
        total(found, 'wippy_cdc_process_duration_seconds_count', labels) === 5 &&
        total(found, 'wippy_cdc_retained_wal_bytes', labels) === 0;
      return isDone && found;
    });
    for (const [name, type] of Object.entries(DOCUMENTED_OF_CDC)) {
      const series = type === 'histogram' ? `${name}_count` : name;
      t.ok(total(scraped, series, labels) !== undefined, name);
      t.equal(scraped.families.get(name)?.type, type, `${name} is a ${type}`);
    }
    const exact = {
      'wippy_cdc_changes_total,insert': 3,
      'wippy_cdc_changes_total,update': 1,
      'wippy_cdc_changes_total,delete': 1,
    };
    for (const [key, value] of Object.entries(exact)) {
      const [name = '', op = ''] = key.split(',');
      t.equal(total(scraped, name, { ...labels, op }), value, key);
      t.equal(total(scraped, name, { op }), value, 'one series alone');
    }
    t.equal(total(scraped, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'ok' }), 4);
    t.equal(total(scraped, 'wippy_cdc_process_duration_seconds_count', { ...labels, result: 'error' }), 1);
    t.equal(total(scraped, 'wippy_cdc_errors_total', labels), 1);
    t.equal(total(scraped, 'wippy_cdc_lag_seconds', labels), 0);
    t.equal((await program.stop()).code, 0, program.output());
    const text = [...textSeries(scraped)].filter(([name]) => name.startsWith('wippy_cdc_'));
    const pushed = [...pushedSeries(collector)].filter(([name]) => name.startsWith('wippy_cdc_'));
    const series = (list: [string, number][]) => list.filter(([name]) => !name.includes('lag_seconds')).sort();
    t.same(series(pushed), series(text), 'the same numbers');
    t.ok(text.length > 20);
  });
}

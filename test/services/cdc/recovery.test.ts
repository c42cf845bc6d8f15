import { test } from 'tap';
import { DOCUMENTED_OF_CDC } from '../../boot/program/documented-metrics.ts';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { startProgram } from '../../harness/program.ts';
import { total } from '../../harness/prometheus-text.ts';
import { appFolder, cdcApp, consumer, handler, noted, source } from './app.ts';

const TABLE = 'CREATE TABLE orders (id int PRIMARY KEY, name text)';
const NOTE = handler(
  'handle',
  `local change = ... logger:info('change', { op = change.op, id = (change.after or change.before).id })`,
);
const ids = (program: InProcess): number[] => noted(program, 'change').map(({ id }) => Number(id));
const stored = async (postgres: Postgres): Promise<number[]> =>
  (await postgres.run<{ id: number }>('SELECT id FROM orders ORDER BY id')).map(({ id }) => id);
const insert = (postgres: Postgres, from: number, to: number) =>
  postgres.run(`SET synchronous_commit = on; INSERT INTO orders SELECT n, 'n' FROM generate_series(${from}, ${to}) n`);
const slotOf = (postgres: Postgres): string => `slot_${postgres.database}`.toLowerCase();
const seen = (program: InProcess, count: number) =>
  poll(`${count} changes`, () => ids(program).length >= count, {
    deadlineMs: 60_000,
    everyMs: count > 1000 ? 500 : 20,
  }).catch((error: unknown) => {
    throw new Error(
      `${String(error)}: ${ids(program).length}\n${program
        .lines()
        .map((one) => JSON.stringify(one))
        .join('\n')
        .slice(-4000)}`,
    );
  });

// One server for all: their databases are apart.
test('what ends without being asked', async (t) => {
  const server = await startPostgres(t);
  if (server?.stop === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  t.test('the server dies and comes back', async (t) => {
    const postgres = await server.createDatabase('server_dies');
    await postgres.run(TABLE);
    const program = await cdcApp(t, [source(postgres), consumer(), NOTE]);
    await insert(postgres, 1, 10);
    await seen(program, 10);
    await server.stop?.();
    const labels = { slot: slotOf(postgres) };
    await poll('it is told', async () => (total(await program.scrape(), 'wippy_cdc_errors_total', labels) ?? 0) > 0);
    const degraded = async () =>
      total(await program.scrape(), 'wippy_component_degraded_seconds_total', { component: 'app:orders' }) ?? 0;
    const before = await degraded();
    await poll('rule 18: the open interval counts', async () => (await degraded()) > before);
    t.ok(
      (total(await program.scrape(), 'wippy_cdc_lag_seconds', labels) ?? 0) > 0,
      'it is behind while it cannot know',
    );
    const failures = program.lines().filter(({ msg }) => msg === 'change capture has lost its source');
    t.equal(failures.filter(({ level }) => level === 'error').length, 1, 'one line for the episode');
    await server.start?.();
    await insert(postgres, 11, 20);
    await seen(program, 20);
    t.same(ids(program), await stored(postgres), 'nothing is lost, nothing comes twice, in order');
    t.ok(program.lines().some(({ msg }) => msg === 'change capture works again'));
    const after = await degraded();
    t.ok(after > before);
    t.equal(await degraded(), after, 'the interval has ended');
  });

  t.test('a connection that is cut within a large transaction: its rest comes, and nothing twice', async (t) => {
    const postgres = await server.createDatabase('cut');
    await postgres.run(TABLE);
    const program = await cdcApp(t, [source(postgres), consumer(), NOTE]);
    // More than the sockets between hold: the cut is within the transaction.
    await postgres.run(`INSERT INTO orders SELECT n, repeat('n', 2000) FROM generate_series(1, 8000) n`);
    await seen(program, 500);
    await postgres.run(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slotOf(postgres)}'`,
    );
    await seen(program, 8000);
    t.same(ids(program), await stored(postgres));
    t.ok(
      program.lines().some(({ msg }) => msg === 'change capture has lost its source'),
      'it was cut indeed',
    );
  });

  t.test('SIGKILL of the program: nothing is lost, and only what was not confirmed comes again', async (t) => {
    const postgres = await server.createDatabase('program_dies');
    await postgres.run(TABLE);
    // One transaction a row, so that the position moves row by row.
    const slow = handler('handle', `local change = ... time.sleep('5ms') print('handled ' .. change.after.id)`);
    const folder = appFolder(t, [source(postgres), consumer(), slow]);
    const handled = (lines: readonly string[]): number[] =>
      lines.flatMap((line) => {
        const found = /handled (\d+)/.exec(line)?.[1];
        return found === undefined ? [] : [Number(found)];
      });
    const first = await startProgram(t, folder);
    await postgres.run(`DO $$ BEGIN FOR n IN 1..300 LOOP INSERT INTO orders VALUES (n, 'n'); COMMIT; END LOOP; END $$`);
    const output = (lines: { stdout: readonly string[]; stderr: readonly string[] }) => [
      ...lines.stdout,
      ...lines.stderr,
    ];
    await poll('half of it is handled', () => handled(output(first)).length >= 150);
    await first.kill();
    const before = handled(output(first));
    t.ok(before.length < 300, `killed after ${before.length}`);
    const [slot] = await postgres.run<{ active: boolean }>('SELECT active FROM pg_replication_slots');
    t.ok(slot, 'the slot is still there');

    const second = await startProgram(t, folder);
    await poll('the rest is handled', () => handled(output(second)).includes(300));
    const after = handled(output(second));
    const [resumed] = after;
    t.same(
      after,
      Array.from({ length: 301 - (resumed ?? 0) }, (_, i) => (resumed ?? 0) + i),
      'in order, without a gap',
    );
    t.ok((resumed ?? 0) <= before.length + 1, `nothing is lost: ${before.length} handled, goes on with ${resumed}`);
    t.ok((resumed ?? 0) > 1, 'what was confirmed does not come again');

    t.test('rule 14: every documented metric comes out of the real program', async (t) => {
      const labels = { slot: slotOf(postgres) };
      await postgres.run(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${labels.slot}'`,
      );
      const exposition = await poll('an error is counted', async () => {
        const found = await second.scrape();
        return total(found, 'wippy_cdc_errors_total', labels) === 1 && found;
      });
      for (const [name, type] of Object.entries(DOCUMENTED_OF_CDC)) {
        const series = type === 'histogram' ? `${name}_count` : name;
        t.ok(total(exposition, series, labels) !== undefined, name);
        t.equal(exposition.families.get(name)?.type, type, `${name} is a ${type}`);
      }
    });

    t.test('a clean stop confirms everything', async (t) => {
      await second.stop();
      const third = await startProgram(t, folder);
      await insert(postgres, 301, 301);
      await poll('the next is handled', () => handled(output(third)).includes(301));
      t.same(handled(output(third)), [301]);
      await third.stop();
      const [kept] = await postgres.run<{ slots: string; kept: string }>(
        `SELECT (SELECT confirmed_flush_lsn >= lsn FROM pg_replication_slots WHERE slot_name = slot)::text AS kept FROM wippy_cdc_offsets`,
      );
      t.equal(kept?.kept, 'true', 'slot and table say the same');
    });
  });

  t.test('a snapshot that was broken off is taken again, from its first row', async (t) => {
    const postgres = await server.createDatabase('snapshot');
    await postgres.run(TABLE);
    await insert(postgres, 1, 1500);
    const entries = [
      source(postgres, { snapshot: true, snapshot_fetch_size: 100 }),
      consumer(),
      handler(
        'handle',
        `local change = ... time.sleep('1ms') logger:info('change', { op = change.op, id = change.after.id })`,
      ),
    ];
    const scope: (() => void | Promise<unknown>)[] = [];
    const first = await cdcApp({ testdir: t.testdir.bind(t), teardown: (end) => void scope.push(end) }, entries);
    await seen(first, 10);
    for (const end of scope) await end();
    const early = ids(first).length;
    t.ok(early < 1500, `stopped after ${early}`);
    t.same(await postgres.run('SELECT * FROM wippy_cdc_offsets'), [], 'no position is kept');
    await insert(postgres, 1501, 1502);

    const second = await cdcApp(t, entries);
    await insert(postgres, 1503, 1504);
    await seen(second, 1504);
    t.same(
      ids(second),
      Array.from({ length: 1504 }, (_, i) => i + 1),
      'rows that were there, then those that came',
    );
    const ops = noted(second, 'change').map(({ op }) => op);
    t.same([ops.indexOf('insert'), ops.lastIndexOf('snapshot')], [1502, 1501]);
  });
});

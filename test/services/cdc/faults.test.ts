import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import type { InProcess } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { total } from '../../harness/prometheus-text.ts';
import { cdcApp, consumer, handler, source } from './app.ts';

const slotOf = (postgres: Postgres): string => `slot_${postgres.database}`.toLowerCase();
const errorsOf = async (program: InProcess, postgres: Postgres): Promise<number> =>
  total(await program.scrape(), 'wippy_cdc_errors_total', { slot: slotOf(postgres) }) ?? 0;
const linesOf = (program: InProcess, text: string) => program.lines().filter(({ msg }) => msg === text);
const reads = (program: InProcess) => poll('it reads', () => linesOf(program, 'change capture reads').length > 0);

/** A clock whose timers of one length are struck by hand, and that can be set forward. */
const handClock = (ms: number): Clock & { strike(): void; forward(by: number): void } => {
  const system = systemClock();
  const bodies = new Set<() => void>();
  let ahead = 0;
  return {
    ...system,
    now: () => system.now() + ahead,
    every(every, body, options) {
      if (every !== ms) return system.every(every, body, options);
      bodies.add(body);
      return () => void bodies.delete(body);
    },
    strike() {
      for (const body of bodies) body();
    },
    forward(by) {
      ahead += by;
    },
  };
};

test('rule 76: one place counts what fails', (t) => {
  const folder = new URL('../../../services/cdc/', import.meta.url);
  const users = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => /\bcdcErrors\b/.test(readFileSync(new URL(file, folder), 'utf8')));
  t.same(users.sort(), ['fault.ts', 'instruments.ts']);
  t.end();
});

test('rule 76: each fatal path is counted, once', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const database = async (): Promise<Postgres> => {
    const postgres = await server.createDatabase('faults');
    await postgres.run('CREATE TABLE orders (id int PRIMARY KEY, name text)');
    return postgres;
  };
  const counted = (program: InProcess, postgres: Postgres, count: number) =>
    poll(`${count} errors`, async () => (await errorsOf(program, postgres)) >= count);

  t.test('a source that cannot start', async (t) => {
    const postgres = await database();
    const lifecycle = { auto_start: true, startup: 'optional', restart: { initial_delay: '1h', jitter: 0 } };
    const program = await cdcApp(t, [source(postgres, { password: 'wrong', lifecycle })]);
    await counted(program, postgres, 1);
    t.equal(await errorsOf(program, postgres), 1);
    t.equal(linesOf(program, 'change capture has lost its source').length, 1);
  });

  t.test('a connection that is cut, and a slot that is gone then', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [source(postgres, { lifecycle: { auto_start: true, start_timeout: '60s' } })]);
    await reads(program);
    await postgres.run(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots`);
    await poll('the slot is dropped', async () => {
      await postgres.run(`SELECT pg_drop_replication_slot('${slotOf(postgres)}')`);
      return true;
    });
    await poll('it reads again', () => linesOf(program, 'change capture reads').length === 2);
    t.equal(await errorsOf(program, postgres), 2, 'the connection, and what was lost with the slot');
    t.equal(linesOf(program, 'the replication slot was gone').length, 1);
  });

  t.test('a stream whose reader is too slow, and one whose snapshot breaks off', async (t) => {
    const postgres = await database();
    await postgres.run(`INSERT INTO orders SELECT n, 'there before' FROM generate_series(1, 100) n`);
    const reader = (name: string, body: string) => ({
      ...handler(name, body),
      pool: { type: 'inline', size: 1 },
    });
    const program = await cdcApp(t, [
      source(postgres),
      reader(
        'slow',
        `local s = assert(cdc.stream('app:orders', { buffer = 1, max_bytes = 10 })) local ch = assert(s:channel())
         logger:info('open') local time = require('time')
         while true do local change, open = ch:receive() if not open then return 'closed' end
           if type(change) ~= 'table' then return change:message() end time.sleep('50ms') end`,
      ),
      reader(
        'torn',
        `local s = assert(cdc.stream('app:orders', { snapshot = true })) local ch, err = s:channel()
         if err then return err:message() end
         while true do local change, open = ch:receive() if not open then return 'closed' end
           if type(change) ~= 'table' then return change:message() end end`,
      ),
    ]);
    await reads(program);
    const slow = program.call('app:slow');
    await poll('it listens', () => linesOf(program, 'open').length > 0);
    await postgres.run(`INSERT INTO orders SELECT n, 'x' FROM generate_series(101, 200) n`);
    t.match(await slow, /cdc stream overflow/);
    t.equal(await errorsOf(program, postgres), 1);

    // A row that cannot be read: the statement of the snapshot fails in its middle.
    await postgres.run('ALTER TABLE orders RENAME COLUMN name TO other');
    t.match(await program.call('app:torn'), /the snapshot of app:orders failed/);
    t.equal(await errorsOf(program, postgres), 2);
    t.same(
      linesOf(program, 'a stream of changes was ended').map(({ level }) => level),
      ['warn', 'warn'],
    );
    t.equal(
      total(await program.scrape(), 'wippy_component_degraded_seconds_total', { component: 'app:orders' }),
      0,
      'the source itself works',
    );
  });

  t.test('a change that no attempt handles: one error line of its own, and counted', async (t) => {
    const postgres = await database();
    const program = await cdcApp(t, [
      source(postgres),
      consumer({ on_failure: 'skip' }),
      consumer({ name: 'other', on_failure: 'dead_letter', dead_letter: { queue: 'dead' } }),
      handler('handle', `error('no such thing')`),
      { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
      { name: 'dead', kind: 'queue.queue', driver: 'driver' },
    ]);
    await postgres.run(`INSERT INTO orders VALUES (1, 'a')`);
    await counted(program, postgres, 2);
    await poll(
      'it lies in the queue',
      async () => total(await program.scrape(), 'wippy_queue_depth', { queue: 'app:dead' }) === 1,
    );
    t.equal(await errorsOf(program, postgres), 2);
    t.same(
      program
        .lines()
        .filter(({ level, subsystem }) => subsystem === 'cdc' && level === 'error')
        .map(({ msg, consumer: id }) => `${id}: ${msg}`)
        .sort(),
      ['app:consumer: change processed', 'app:other: change processed'],
      'rule 118: one line for each',
    );
  });

  t.test('stale data is counted once a tick: no tables, no answer; one line an episode', async (t) => {
    const postgres = await database();
    const clock = handClock(12_345);
    const program = await cdcApp(t, [source(postgres, { status_interval: '12345ms' })], { clock });
    await reads(program);
    const retained = async () =>
      total(await program.scrape(), 'wippy_cdc_retained_wal_bytes', { slot: slotOf(postgres) });
    await poll('the first status', async () => (await retained()) !== undefined);
    t.equal(await errorsOf(program, postgres), 0);

    await postgres.run('CREATE TABLE elsewhere (id int PRIMARY KEY)');
    await postgres.run(`ALTER PUBLICATION ${slotOf(postgres)}_pub SET TABLE elsewhere`);
    for (let tick = 1; tick <= 3; tick += 1) {
      clock.strike();
      await counted(program, postgres, tick);
      t.equal(await errorsOf(program, postgres), tick, `tick ${tick}`);
    }
    t.equal(linesOf(program, 'change capture has no tables').length, 1, 'rule 119');
    t.type(await retained(), 'number', 'the log that is kept is read all the same');
    await postgres.run(`ALTER PUBLICATION ${slotOf(postgres)}_pub SET TABLE orders`);
    clock.strike();
    await poll('it works again', () => linesOf(program, 'change capture works again').length === 1);

    // Whoever holds the catalogue keeps the server from answering.
    const held = postgres
      .run('BEGIN; LOCK TABLE pg_publication IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)')
      .catch(() => {}); // it is ended below
    await poll('it is held', async () => {
      const [row] = await postgres.run<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_locks WHERE relation = 'pg_publication'::regclass AND mode = 'AccessExclusiveLock' AND granted`,
      );
      return row?.n === 1;
    });
    clock.strike();
    clock.strike(); // asked already, and not for long
    clock.forward(6_000);
    for (let tick = 4; tick <= 5; tick += 1) {
      clock.strike();
      await counted(program, postgres, tick);
      t.equal(await errorsOf(program, postgres), tick, `tick ${tick}`);
    }
    t.match(linesOf(program, 'the state of the slot could not be read'), [{ error: /has not answered for 6 s/ }]);
    t.type(await retained(), 'number');
    await postgres.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'`);
    await held;
    await poll('it works again', () => linesOf(program, 'change capture works again').length === 2);
    t.equal(await errorsOf(program, postgres), 5);
  });
});

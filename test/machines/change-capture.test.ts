import { test } from 'tap';
import { systemClock } from '../../runtime/clock.ts';
import { connectReplication } from '../../services/cdc/postgres/replication.ts';
import { poll } from '../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../harness/postgres.ts';
import { startProgram } from '../harness/program.ts';
import { appFolder, consumer, handler, source } from '../services/cdc/app.ts';
import { linesOf, numbersOf, startMachines, sumOf } from './machines.ts';

const TABLE = 'CREATE TABLE orders (id int PRIMARY KEY, name text)';
const STANDS_BY = 'change capture stands by: another program reads the slot';
const READS = 'change capture reads';
/** Enough time between two changes that a kill meets one of them. */
const HANDLE = handler('handle', `local change = ... time.sleep('5ms') print('handled ' .. change.after.id)`);
const insertEach = (postgres: Postgres, from: number, to: number) =>
  postgres.run(`DO $$ BEGIN FOR n IN ${from}..${to} LOOP INSERT INTO orders VALUES (n, 'n'); COMMIT; END LOOP; END $$`);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('several programs with one slot', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }

  t.test('one reads, the others stand by; each takes over from the one that dies, and nothing is lost', async (t) => {
    const postgres = await server.createDatabase('machines');
    await postgres.run(TABLE);
    const folder = appFolder(t, [source(postgres), consumer(), HANDLE]);
    let living = [...(await startMachines(t, folder, 3))];
    await insertEach(postgres, 1, 100);
    await poll('all are handled', () => living.flatMap((one) => numbersOf(one, 'handled')).length >= 100);
    t.equal(living.filter((one) => linesOf(one, READS).length > 0).length, 1, 'one reads');
    const idle = living.filter((one) => linesOf(one, STANDS_BY).length > 0);
    t.equal(idle.length, 2);
    for (const one of idle) {
      t.same(numbersOf(one, 'handled'), []);
      t.equal(await sumOf(one, 'wippy_cdc_errors_total', {}), 0, 'standing by is no error');
      t.equal(await sumOf(one, 'wippy_component_degraded_seconds_total', { component: 'app:orders' }), 0);
      t.equal(one.stderr.filter((line) => line.includes('"error"')).length, 0);
    }

    let next = 101;
    for (const round of ['the first', 'the second'] as const) {
      const reader = living.find((one) => linesOf(one, READS).length > 0);
      if (reader === undefined) throw new Error('nobody reads');
      const seen = numbersOf(reader, 'handled').length;
      const writing = insertEach(postgres, next, next + 199);
      await poll('some are handled', () => numbersOf(reader, 'handled').length >= seen + 50);
      await reader.kill();
      await writing;
      const died = performance.now();
      living = living.filter((one) => one !== reader);
      const heir = await poll('another takes over', () => living.find((one) => linesOf(one, READS).length > 0));
      t.comment(`${round}: taken over after ${Math.round(performance.now() - died)} ms`);
      await poll('the rest is handled', () => numbersOf(heir, 'handled').includes(next + 199));
      const before = numbersOf(reader, 'handled').filter((id) => id >= next);
      const after = numbersOf(heir, 'handled').filter((id) => id >= next);
      const [resumed = 0] = after;
      t.same(after, range(resumed, next + 199), `${round}: in order, without a gap`);
      t.ok(resumed <= next + before.length, `nothing is lost: ${before.at(-1)} was the last, goes on with ${resumed}`);
      t.ok(resumed > next, 'what was confirmed does not come again');
      next += 200;
    }

    const [last] = living;
    const fresh = await startProgram(t, folder);
    await poll('it stands by', () => linesOf(fresh, STANDS_BY).length === 1);
    t.equal((await last?.stop())?.code, 0);
    await insertEach(postgres, next, next + 9);
    await poll('a stop hands over too', () => numbersOf(fresh, 'handled').includes(next + 9));
    t.same(numbersOf(fresh, 'handled'), range(next, next + 9), 'and nothing comes twice');
    t.equal((await fresh.stop()).code, 0, 'the last one');

    const idler = await startMachines(t, folder, 2);
    const waiting = await poll('one waits', () => idler.find((one) => linesOf(one, STANDS_BY).length === 1));
    t.equal((await waiting.stop()).code, 0, 'a stop ends the wait');
  });

  t.test('programs that start together take one snapshot', async (t) => {
    const postgres = await server.createDatabase('together');
    await postgres.run(TABLE);
    await insertEach(postgres, 1, 200);
    const folder = appFolder(t, [source(postgres, { snapshot: true }), consumer(), HANDLE]);
    const machines = await startMachines(t, folder, 3);
    const handled = (): number[] => machines.flatMap((one) => numbersOf(one, 'handled'));
    await poll('the snapshot is handled', () => handled().length >= 200);
    await insertEach(postgres, 201, 210);
    await poll('and what came after', () => handled().includes(210));
    t.same(handled(), range(1, 210));
  });

  t.test('one dies within the snapshot: the next takes it again, from its first row', async (t) => {
    const postgres = await server.createDatabase('broken_off');
    await postgres.run(TABLE);
    await insertEach(postgres, 1, 300);
    const folder = appFolder(t, [source(postgres, { snapshot: true }), consumer(), HANDLE]);
    const machines = await startMachines(t, folder, 2);
    const first = await poll('one is at it', () => machines.find((one) => numbersOf(one, 'handled').length >= 20));
    await first.kill();
    t.ok(numbersOf(first, 'handled').length < 300, 'it was at it indeed');
    const heir = machines.find((one) => one !== first);
    await insertEach(postgres, 301, 301);
    await poll('all is handled', () => heir !== undefined && numbersOf(heir, 'handled').includes(301));
    t.same(heir === undefined ? [] : numbersOf(heir, 'handled'), range(1, 301));
  });

  t.test('a slot that a stranger reads is told, waited for without end, and taken over', async (t) => {
    const postgres = await server.createDatabase('stranger');
    const { host, port, database, username: user, password } = postgres;
    const slot = `slot_${database}`.toLowerCase();
    await postgres.run(TABLE);
    await postgres.run(`CREATE PUBLICATION ${slot}_pub FOR TABLE orders`);
    await postgres.run(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    const stranger = await connectReplication({ host, port, database, user, password }, systemClock());
    stranger.ended.catch(() => {}); // it is closed below
    const request = { slot, from: 0n, options: { proto_version: '1', publication_names: `${slot}_pub` } };
    await stranger.stream(request, { data: () => {}, keepalive: () => {} });
    const restart = { initial_delay: '50ms', max_attempts: 1 };
    const entry = source(postgres, { lifecycle: { auto_start: true, start_timeout: '60s', restart } });
    const program = await startProgram(t, appFolder(t, [entry, consumer(), HANDLE]));
    const errors = () => sumOf(program, 'wippy_cdc_errors_total', { slot });
    await poll('it is tried more often than there are attempts', async () => (await errors()) >= 3);
    const lost = linesOf(program, 'change capture has lost its source').filter(({ level }) => level === 'error');
    t.equal(lost.length, 1, 'one line for the episode');
    t.match(lost[0]?.error, /replication slot .* is active for PID/);
    await insertEach(postgres, 1, 10);
    await stranger.close();
    await poll('it reads', () => numbersOf(program, 'handled').includes(10));
    t.same(numbersOf(program, 'handled'), range(1, 10));
  });
});

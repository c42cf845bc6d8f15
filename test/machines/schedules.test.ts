import { type Test, test } from 'tap';
import { poll } from '../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../harness/postgres.ts';
import type { Program } from '../harness/program.ts';
import { type OwnRedisServer, startOwnRedis } from '../harness/redis.ts';
import { appFolder, connectionOf } from '../services/cdc/app.ts';
import { linesOf, startMachines, sumOf, written } from './machines.ts';

const RUNS = 'wippy_schedule_runs_total';
const AWAY = 'the lock of a schedule cannot be asked: its ticks wait, so that none is run twice';

const schedule = (name: string, func: string, more: object = {}) => ({
  name,
  kind: 'process.schedule',
  every: '1s',
  func,
  lifecycle: { auto_start: true },
  ...more,
});
const job = (name: string, body: string) => ({
  name,
  kind: 'function.lua',
  method: 'main',
  modules: ['time'],
  source: `return function() print('${name} begins') ${body} end`,
});
/** How often a job has begun, on each machine. */
const counts = (machines: readonly Program[], name: string): number[] =>
  machines.map((one) => written(one).filter((line) => line.includes(`${name} begins`)).length);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The entry that keeps the lock, and what a test does to its server. */
interface Keeper {
  readonly entry: { readonly name: string };
  stop(): Promise<void>;
  start(): Promise<void>;
}
const redisKeeper = async (t: Test): Promise<Keeper> => {
  const server: OwnRedisServer = await startOwnRedis(t, { appendOnly: true });
  return {
    entry: { name: 'keeper', kind: 'store.redis', url: server.url, lifecycle: { auto_start: true } } as Keeper['entry'],
    stop: () => server.kill(),
    start: () => server.restart(),
  };
};
const postgresKeeper = async (t: Test): Promise<Keeper | undefined> => {
  const server: Postgres | undefined = await startPostgres(t);
  if (server?.stop === undefined || server.start === undefined) return undefined;
  const postgres = await server.createDatabase('locks');
  return {
    entry: {
      name: 'keeper',
      kind: 'db.sql.postgres',
      ...connectionOf(postgres),
      lifecycle: { auto_start: true },
    } as Keeper['entry'],
    stop: server.stop,
    start: server.start,
  };
};

for (const [kind, keeperOf] of [
  ['store.redis', redisKeeper],
  ['db.sql.postgres', postgresKeeper],
] as const) {
  test(`locks on ${kind}`, async (t) => {
    const keeper = await keeperOf(t);
    if (keeper === undefined) {
      t.plan(0, POSTGRES_MISSING);
      return;
    }
    const folder = appFolder(t, [
      keeper.entry,
      job('once', ''),
      schedule('once.timer', 'once', { lock: 'keeper' }),
      job('each', ''),
      schedule('each.timer', 'each'),
      job('long', `time.sleep('60s')`),
      schedule('long.timer', 'long', { cron: '* * * * * *', lock: 'keeper', every: undefined }),
    ]);
    // Together they make the table, and ask for the first tick.
    const machines = [...(await startMachines(t, folder, 3))];
    const began = performance.now();
    const before = { once: sum(counts(machines, 'once')), each: sum(counts(machines, 'each')) };
    await poll('eight ticks', () => sum(counts(machines, 'once')) >= before.once + 8);
    const seconds = (performance.now() - began) / 1000;
    const once = sum(counts(machines, 'once')) - before.once;
    t.ok(once <= seconds + 2, `one runs each tick: ${once} runs in ${seconds.toFixed(1)} s`);
    const each = sum(counts(machines, 'each')) - before.each;
    t.ok(each >= 2 * 8, `without a lock each machine does: ${each}`);
    t.equal(sum(counts(machines, 'long')), 1, 'a run that goes on elsewhere counts for overlap');

    // Every tick is in one series of one machine, whether it ran or was left out.
    const results = async (name: string, result: string) =>
      sum(await Promise.all(machines.map((one) => sumOf(one, RUNS, { schedule: `app:${name}.timer`, result }))));
    await poll('counted', async () => (await results('once', 'success')) >= 8);
    t.ok((await results('once', 'success')) <= sum(counts(machines, 'once')));
    t.equal(await results('once', 'skipped'), 0, 'what another machine runs is not skipped');
    const skipped = await poll('skips are counted', async () => (await results('long', 'skipped')) || undefined);
    t.ok(skipped <= (performance.now() - began) / 1000 + 30, `once for all machines: ${skipped}`);

    const holder = counts(machines, 'long').indexOf(1);
    const [dead] = machines.splice(holder, 1);
    await dead?.kill();
    const killed = performance.now();
    const after = sum(counts(machines, 'once'));
    await poll('the next ticks go on', () => sum(counts(machines, 'once')) >= after + 3);
    t.comment(`three ticks within ${Math.round(performance.now() - killed)} ms of the kill`);
    await poll('and so does the run that it was in the middle of', () => sum(counts(machines, 'long')) === 1, {
      deadlineMs: 160_000,
    });
    t.comment(`the lease had ended after ${Math.round(performance.now() - killed)} ms`);

    await keeper.stop();
    const told = () =>
      machines.map((one) => linesOf(one, AWAY).filter(({ schedule }) => schedule === 'app:once.timer'));
    await poll('each machine says so', () => told().every((lines) => lines.length > 0));
    t.match(told()[0]?.[0], { level: 'error', lock: 'app:keeper', subsystem: 'schedule' });
    const silent = sum(counts(machines, 'once'));
    await poll('what cannot be asked for is counted', async () => (await results('once', 'error')) >= 4);
    t.equal(sum(counts(machines, 'once')), silent, 'and nobody runs it');
    t.same(
      told().map((lines) => lines.length),
      [1, 1],
      'once in the episode',
    );
    t.ok(
      sum(
        await Promise.all(
          machines.map((one) => sumOf(one, 'wippy_component_errors_total', { component: 'app:once.timer' })),
        ),
      ) > 0,
    );
    await keeper.start();
    await poll('it goes on', () => sum(counts(machines, 'once')) >= silent + 3);
    const back = performance.now();
    const from = sum(counts(machines, 'once'));
    await poll('ticks after it', () => sum(counts(machines, 'once')) >= from + 4);
    const extra = sum(counts(machines, 'once')) - from;
    t.ok(extra <= (performance.now() - back) / 1000 + 2, `still one each: ${extra}`);
    for (const one of machines) t.equal((await one.stop()).code, 0);
  });
}

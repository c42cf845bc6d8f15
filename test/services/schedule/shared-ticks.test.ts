import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import type { Declared } from '../../../runtime/entry.ts';
import type { ScheduleConfig } from '../../../services/schedule/kinds.ts';
import type { Claim, TickLock } from '../../../services/schedule/lock.ts';
import { schedule } from '../../../services/schedule/schedule.ts';
import { fakeClock } from '../fake-clock.ts';
import { lua, registryOf, surfaceBench } from '../surface-bench.ts';

type Scope = Parameters<typeof surfaceBench>[0];

/** A schedule whose lock answers what a test says. */
const locked = async (t: Scope, config: object, body = 'host.note(1)') => {
  // Not at a full ten seconds: multiples are counted from the epoch, not from here.
  const clock = fakeClock(Date.parse('2026-03-01T12:00:03Z'));
  const pool = { type: 'static', size: 1, workers: 1 }; // without a timer of its own
  const bench = await surfaceBench(t, [lua('app:work', body, { pool })], { clock });
  const entry = { id: 'app:tick', kind: 'process.schedule', func: 'app:work', every: '10s', lock: 'app:keeper' };
  const [declared] = registryOf([{ ...entry, ...config }]).declared<ScheduleConfig>('process.schedule');
  const asked: string[] = [];
  const released: boolean[] = [];
  let claim: Claim = 'run';
  let renewals = 0;
  let again = false;
  const lock: TickLock = {
    prepare: async () => clock.systemTime(),
    async claim(tick) {
      asked.push(new Date(tick).toISOString().slice(11, 19));
      return { claim, now: clock.systemTime() };
    },
    async renew() {
      renewals += 1;
      return true;
    },
    async release(_holder, mayGoOn) {
      released.push(mayGoOn);
      return mayGoOn && again;
    },
  };
  const tick = schedule(
    bench.env,
    declared as Declared<ScheduleConfig>,
    () => 0.5,
    () => lock,
  );
  await tick.start?.();
  await tick.open?.();
  return {
    bench,
    clock,
    tick,
    asked,
    released,
    renewals: () => renewals,
    runs: () => bench.rows('schedule_runs_total').map((row) => row.replace(/^result=(.*),schedule=app:tick/, '$1')),
    says(next: Claim, isAgain = false) {
      claim = next;
      again = isAgain;
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.pass(Math.min(left, 1000));
        for (let i = 0; i < 5; i += 1) await turn();
      }
    },
  };
};

test('what each answer comes to', async (t) => {
  const { bench, asked, says, pass, runs, tick, clock } = await locked(t, {});
  await pass(10_000);
  t.same(asked, ['12:00:10'], 'multiples since the epoch');
  t.same([bench.notes.length, runs()], [1, ['success 1']]);
  for (const claim of ['taken', 'queued', 'early'] as const) {
    says(claim);
    await pass(10_000);
    t.same([bench.notes.length, runs()], [1, ['success 1']], `${claim}: another machine counts it`);
  }
  says('busy');
  await pass(10_000);
  t.same([bench.notes.length, runs()], [1, ['skipped 1', 'success 1']]);
  says('unknown');
  await pass(10_000);
  t.same([bench.notes.length, runs()], [1, ['error 1', 'skipped 1', 'success 1']]);
  t.match(bench.lines.at(-1), {
    level: 'error',
    message: 'schedule did not run',
    fields: { lock: 'app:keeper', error: 'app:keeper has lost its data: another machine may have run this tick' },
  });
  t.equal(asked.length, 6);
  await tick.stop?.();
  t.equal(clock.timers, 0);
});

test('a run is renewed while it goes on, and released when it has ended', async (t) => {
  const { released, renewals, pass, says, bench, tick, clock } = await locked(
    t,
    { overlap: 'queue' },
    'host.note(1) host.sleep(8000)',
  );
  await pass(8000);
  t.same([bench.notes.length, released], [1, []]);
  await pass(6000);
  t.equal(renewals(), 2);
  says('run', true);
  await pass(1000);
  t.same([bench.notes.length, released], [2, [true]], 'one was queued: it goes on');
  says('taken');
  await pass(8000);
  t.same([bench.notes.length, released], [2, [true, true]]);
  const before = renewals();
  await pass(10_000);
  t.equal(renewals(), before);
  await tick.stop?.();
  t.equal(clock.timers, 0);
});

test('with allow nothing is held', async (t) => {
  const { released, renewals, pass, runs, tick } = await locked(t, { overlap: 'allow' }, 'host.sleep(15000)');
  await pass(60_000);
  t.same([released, renewals()], [[], 0]);
  t.ok(runs().some((row) => row.startsWith('success ')));
  await tick.stop?.();
});

test('jitter comes after the claim; a stop drops what waits, and gives it back', async (t) => {
  const { bench, released, pass, runs, tick, clock, says } = await locked(t, { jitter: '4s' });
  await pass(8000);
  t.equal(bench.notes.length, 0, 'ours, and not yet');
  await pass(2000);
  t.same([bench.notes.length, released], [1, [false]]);
  says('run');
  await pass(8000);
  await tick.drain?.(new AbortController().signal);
  await tick.stop?.();
  t.same([bench.notes.length, released, runs()], [1, [false, false], ['skipped 1', 'success 1']]);
  t.equal(clock.timers, 0);
});

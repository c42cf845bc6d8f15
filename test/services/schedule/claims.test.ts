import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { internal, unavailable } from '../../../runtime/errors.ts';
import { tickClaims } from '../../../services/schedule/claims.ts';
import type { Claim, Claimed, TickLock } from '../../../services/schedule/lock.ts';
import { fakeClock } from '../fake-clock.ts';

const START = 1_700_000_000_000;

/** Claims on a lock that answers what a test says, or not at all. */
const bench = async (skewMs = 0) => {
  const clock = fakeClock(START);
  const asked: string[] = [];
  const told: string[] = [];
  let answer: (tick: number) => Claim | Promise<Claimed> = () => 'run';
  const serverTime = (): number => clock.systemTime() + skewMs;
  const lock: TickLock = {
    prepare: async () => serverTime(),
    async claim(tick, holder) {
      asked.push(`${tick - START} ${holder.split(':')[0]}`);
      const claim = answer(tick);
      return typeof claim === 'string' ? { claim, now: serverTime() } : claim;
    },
    renew: async () => true,
    release: async () => false,
  };
  const claims = tickClaims({
    clock,
    lock,
    overlap: 'skip',
    machine: 'm',
    claimed: (claim, _holder, tick) => void told.push(`${tick - START} ${claim}`),
    failed: () => void told.push('failed'),
    answered: () => {},
    givenUp: (tick, isStopping) => void told.push(`${tick - START} given up${isStopping ? ' at the stop' : ''}`),
  });
  await claims.start();
  return {
    clock,
    claims,
    asked,
    told,
    answers(next: typeof answer) {
      answer = next;
    },
    async pass(ms: number) {
      clock.pass(ms);
      for (let i = 0; i < 5; i += 1) await turn();
    },
  };
};

test('one tick after the other is asked for, by the clock of the server', async (t) => {
  const { clock, claims, asked, told, pass } = await bench(3_600_000);
  t.equal(claims.time.systemTime(), clock.systemTime() + 3_600_000, 'known from the start on');
  claims.add(START + 1);
  await pass(0);
  claims.add(START + 2);
  await pass(0);
  t.same(asked, ['1 m', '2 m']);
  t.same(told, ['1 run', '2 run']);
  t.equal(clock.timers, 0);
});

test('while the server is away a tick waits, until it answers or the next one comes', async (t) => {
  const { clock, claims, asked, told, answers, pass } = await bench();
  answers(() => Promise.reject(unavailable('away')));
  claims.add(START + 1);
  await pass(0);
  await pass(1000);
  t.same(asked, ['1 m', '1 m'], 'asked again, under the same name');
  t.same(told, ['failed', 'failed']);
  claims.add(START + 2);
  await pass(0);
  t.same(told, ['failed', 'failed', '1 given up', 'failed'], 'the newer one is asked for at once');
  answers(() => 'run');
  await pass(1000);
  t.same(told.slice(4), ['2 run']);
  t.equal(clock.timers, 0);
});

test('of the ticks that come while one is being asked for, the last is asked for next', async (t) => {
  const { claims, asked, told, answers, pass } = await bench();
  const slow = Promise.withResolvers<Claimed>();
  answers(() => slow.promise);
  claims.add(START + 1);
  await pass(0);
  for (const tick of [2, 3, 4]) claims.add(START + tick);
  await pass(0);
  t.same(asked, ['1 m']);
  answers(() => 'taken');
  slow.resolve({ claim: 'run', now: START });
  await pass(0);
  t.same(asked, ['1 m', '4 m']);
  t.same(told, ['2 given up', '3 given up', '1 run', '4 taken']);
});

test('a server that says nothing is away after ten seconds; its late answer is nobody`s', async (t) => {
  const { claims, told, answers, pass } = await bench();
  const slow = Promise.withResolvers<Claimed>();
  answers(() => slow.promise);
  claims.add(START + 1);
  await pass(9999);
  t.same(told, []);
  await pass(1);
  t.same(told, ['failed']);
  slow.reject(internal('late'));
  answers(() => 'run');
  await pass(1000);
  t.same(told, ['failed', '1 run']);
});

test('at the end: what waits is given up, what is being asked is told, and a stop cuts that off', async (t) => {
  const { clock, claims, told, answers, pass } = await bench();
  answers(() => Promise.reject(unavailable('away')));
  claims.add(START + 1);
  await pass(0);
  claims.close();
  await claims.idle();
  t.same(told, ['failed', '1 given up at the stop']);
  claims.add(START + 2);
  await pass(0);
  t.equal(told.length, 2, 'nothing more is taken');

  await claims.start();
  const slow = Promise.withResolvers<Claimed>();
  answers(() => slow.promise);
  claims.add(START + 3);
  await pass(0);
  claims.close();
  slow.resolve({ claim: 'run', now: START });
  await claims.idle();
  t.same(told.slice(2), ['3 run'], 'it is on record as ours');

  await claims.start();
  answers(() => new Promise<Claimed>(() => {}));
  claims.add(START + 4);
  await pass(0);
  claims.close();
  claims.stop();
  await claims.idle();
  t.same(told.slice(3), ['4 given up at the stop']);
  t.equal(clock.timers, 0);
});

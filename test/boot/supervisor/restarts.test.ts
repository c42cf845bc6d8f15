import { test } from 'tap';
import { createRestarts } from '../../../boot/supervisor/restarts.ts';
import { CallError, canceled, internal, unavailable } from '../../../runtime/errors.ts';
import type { RestartPolicy } from '../../../runtime/lifecycle.ts';
import { fakeClock } from '../../harness/fake-thread.ts';
import { POLICY } from './bench.ts';

const restartsOf = (policy: Partial<RestartPolicy> | undefined, random = () => 0.5) => {
  const clock = fakeClock();
  return { clock, restarts: createRestarts(policy && { ...POLICY, ...policy }, clock, random) };
};
const failure = unavailable('gone');

test('delays grow by the factor up to the longest, and are counted', async (t) => {
  const { restarts } = restartsOf({});
  const delays = Array.from({ length: 6 }, () => restarts.afterFailure(failure));
  t.same(delays, [100, 200, 400, 500, 500, 500]);
  t.equal(restarts.count, 6);
  const { restarts: steady } = restartsOf({ backoff_factor: 1 });
  t.same(
    [1, 2, 3].map(() => steady.afterFailure(failure)),
    [100, 100, 100],
  );
});

test('a thousand failures still have a delay', async (t) => {
  const { restarts } = restartsOf({});
  let last: number | undefined;
  for (let i = 0; i < 2000; i += 1) last = restarts.afterFailure(failure);
  t.equal(last, 500, 'factor^1999 is infinite');
});

test('jitter is a fraction to both sides, also of the longest delay', async (t) => {
  const delaysWith = (random: number): (number | undefined)[] => {
    const { restarts } = restartsOf({ jitter: 0.1 }, () => random);
    return [1, 2, 3, 4].map(() => restarts.afterFailure(failure));
  };
  const near = (found: readonly (number | undefined)[], wanted: readonly number[]) =>
    t.ok(
      wanted.every((ms, i) => Math.abs((found[i] ?? 0) - ms) < 0.001),
      `${found} is ${wanted}`,
    );
  near(delaysWith(0), [90, 180, 360, 450]);
  near(delaysWith(0.5), [100, 200, 400, 500]);
  near(delaysWith(1), [110, 220, 440, 550]);
  const { restarts } = restartsOf({ jitter: 3 }, () => 0);
  t.equal(restarts.afterFailure(failure), 0, 'never before now');
});

test('max_attempts is how many restarts there are; without a policy there is none', async (t) => {
  const { restarts } = restartsOf({ maxAttempts: 2 });
  t.same(
    [1, 2, 3, 4].map(() => restarts.afterFailure(failure)),
    [100, 200, undefined, undefined],
  );
  t.equal(restarts.count, 2);
  t.equal(restartsOf(undefined).restarts.afterFailure(failure), undefined);
});

test('errors that are terminal: cancelled, or not retryable by their own word', async (t) => {
  const next = (error: unknown): number | undefined => restartsOf({}).restarts.afterFailure(error);
  t.equal(next(canceled('stopped')), undefined);
  t.equal(next(new CallError('stopped', { kind: 'Canceled', retryable: true })), undefined);
  t.equal(next(internal('wrong')), undefined);
  t.equal(next(new CallError('no word')), 100, 'undecided is tried again');
  t.equal(next(new CallError('again', { retryable: true })), 100);
  t.equal(next(new Error('plain')), 100);
});

test('the count begins again after running for the stable threshold, not before', async (t) => {
  const { clock, restarts } = restartsOf({ maxAttempts: 3 });
  const stable: number[] = [];
  const onStable = (count: number) => void stable.push(count);
  restarts.afterFailure(failure);
  restarts.afterFailure(failure);
  restarts.running(onStable);
  clock.advance(999);
  t.equal(restarts.afterFailure(failure), 400, 'one millisecond short');
  restarts.running(onStable);
  clock.advance(1000);
  t.same(stable, [3]);
  t.equal(restarts.count, 0);
  t.equal(restarts.afterFailure(failure), 100);
  restarts.running(onStable);
  restarts.over();
  clock.advance(5000);
  t.same(stable, [3], 'it does not run any longer');
  t.equal(clock.pending, 0);
});

import { type Test, test } from 'tap';
import { functionsFile, type InProcess, programIn } from '../../harness/in-process.ts';
import { total } from '../../harness/prometheus-text.ts';
import { manualClock } from '../../runtime/metrics/manual-clock.ts';

/** Succeeds at the fourth try; half a second lies between two tries. */
const FLAKY = functionsFile({
  flaky: {
    body: `count = (count or 0) + 1
      if count < 4 then error(errors.new{message = 'try ' .. count, kind = 'Unavailable'}) end
      return count`,
    more: {
      pool: { type: 'static', size: 1 },
      meta: {
        options: {
          timeout: '1200ms',
          retry: { max_attempts: 4, initial_delay: '500ms', backoff_factor: 1, jitter: 0 },
        },
      },
    },
  },
  slow: { body: `time.sleep('400ms'); return 'done'`, more: { meta: { options: { timeout: '25ms' } } } },
});

type Settings = Record<string, string | number | boolean>;

/** Time goes on while a call runs, and only then, by steps in which nothing is due twice: how fast the machine is does not matter. */
const programWithTime = async (t: Test, set: Settings): Promise<InProcess> => {
  const clock = manualClock();
  const program = await programIn(t, t.testdir({ '_index.yaml': FLAKY }), { set, clock });
  return {
    ...program,
    async call(...args) {
      let isDone = false;
      const call = program.call(...args).finally(() => {
        isDone = true;
      });
      call.catch(() => {}); // told by what is returned, a turn later
      while (!isDone) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(5);
      }
      return call;
    },
  };
};

const run = async (t: Test, set: Settings = {}) => {
  const program = await programWithTime(t, set);
  const outcome = await program.call('app:flaky').then(
    (value) => `${value}`,
    (error: Error) => error.message,
  );
  const metrics = await program.scrape();
  const calls = (status: string): number =>
    total(metrics, 'wippy_function_calls', { function_id: 'app:flaky', status }) ?? 0;
  return {
    program,
    outcome,
    calls: [calls('success'), calls('error')],
    attempts: program.recorder.spans({ name: 'app:flaky' }).map(({ attributes }) => attributes['wippy.attempt']),
  };
};
const LATE = 'call timed out after 1200ms: app:flaky';

test('rule 47: by default retry (20) is outside of timeout (30), metrics (50) and tracing (100)', async (t) => {
  const { outcome, calls, attempts } = await run(t);
  t.equal(outcome, '4', 'the timeout is per attempt');
  t.same(calls, [1, 3], 'each attempt is counted');
  t.same(attempts, [1, 2, 3, 4], 'and has a span');
});

test('rule 47: timeout outside of retry ends all attempts together', async (t) => {
  const { outcome, calls } = await run(t, { 'interceptors.timeout.order': 15 });
  t.equal(outcome, LATE);
  t.equal(calls[0], 0, 'the last attempt was never made');
});

test('rule 47: retry inside of metrics: one call is counted, each attempt has a span', async (t) => {
  const { outcome, calls, attempts } = await run(t, { 'interceptors.retry.order': 60 });
  t.equal(outcome, LATE, 'and the timeout, further out, is for all of them');
  t.same(calls, [0, 1]);
  t.same(attempts.slice(0, 3), [1, 2, 3]);
});

test('rule 47: retry inside of tracing: one span', async (t) => {
  const { outcome, calls, attempts } = await run(t, {
    'interceptors.retry.order': 105,
    'interceptors.timeout.order': 110,
  });
  t.equal(outcome, '4');
  t.same(calls, [1, 0]);
  t.same(attempts, [undefined]);
});

test('rule 51: interceptors.retry.enabled', async (t) => {
  const off = await run(t, { 'interceptors.retry.enabled': false });
  t.equal(off.outcome, 'try 1');
  t.same(off.calls, [0, 1]);
  t.same(off.attempts, [undefined]);
});

test('rules 4, 51: interceptors.timeout.enabled; a timeout is counted as a kill', async (t) => {
  const on = await programWithTime(t, {});
  await t.rejects(on.call('app:slow'), { kind: 'Timeout', message: 'call timed out after 25ms: app:slow' });
  const metrics = await on.scrape();
  t.equal(total(metrics, 'wippy_function_killed_total', { function_id: 'app:slow', reason: 'timeout' }), 1);
  t.equal(total(metrics, 'wippy_function_in_flight', { function_id: 'app:slow' }), 0);
  const off = await programWithTime(t, { 'interceptors.timeout.enabled': false });
  t.equal(await off.call('app:slow'), 'done');
  t.equal(total(await off.scrape(), 'wippy_function_killed_total'), undefined);
});

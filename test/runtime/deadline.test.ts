import { test } from 'tap';
import { waitAtMost } from '../../runtime/deadline.ts';
import { type ManualClock, manualClock } from './metrics/manual-clock.ts';

/** With a count of the timers that are neither due nor cancelled. */
const countedClock = (): { clock: ManualClock; pending: () => number } => {
  const clock = manualClock();
  const pending = new Set<object>();
  return {
    pending: () => pending.size,
    clock: {
      ...clock,
      after(ms, body) {
        const timer = {};
        pending.add(timer);
        const cancel = clock.after(ms, () => {
          pending.delete(timer);
          body();
        });
        return () => {
          pending.delete(timer);
          cancel();
        };
      },
    },
  };
};

test('what ends in time gives its value or its error, and no timer is left', async (t) => {
  const { clock, pending } = countedClock();
  t.strictSame(await waitAtMost(clock, 0, Promise.resolve('done')), { inTime: true, value: 'done' });
  await t.rejects(waitAtMost(clock, 10, Promise.reject(new Error('broken'))), { message: 'broken' });
  t.equal(pending(), 0);

  const work = Promise.withResolvers<number>();
  const wait = waitAtMost(clock, 10, work.promise);
  t.equal(pending(), 1, 'and while it waits there is one');
  clock.advance(9.5);
  work.resolve(7);
  t.strictSame(await wait, { inTime: true, value: 7 });
  t.equal(pending(), 0);
});

test('what takes longer is late, and how it ends then is of no interest', async (t) => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  const { clock, pending } = countedClock();
  const work = Promise.withResolvers<number>();
  const wait = waitAtMost(clock, 10, work.promise);
  clock.advance(10);
  t.strictSame(await wait, { inTime: false });
  t.equal(pending(), 0);
  work.reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(unhandled, []);
});

test('unref is the clock’s', async (t) => {
  const clock = manualClock();
  const seen: unknown[] = [];
  const noting: ManualClock = {
    ...clock,
    after(ms, body, options) {
      seen.push(options);
      return clock.after(ms, body);
    },
  };
  await waitAtMost(noting, 1, Promise.resolve());
  await waitAtMost(noting, 1, Promise.resolve(), { unref: true });
  t.strictSame(seen, [undefined, { unref: true }]);
});

import { test } from 'tap';
import { retryDelayMs } from '../../runtime/retry-delay.ts';

const RETRY = { initial_delay: 100, max_delay: 10_000, backoff_factor: 2, jitter: 0 };
const even = (): number => 0.5;

test('delays grow from attempt to attempt up to the longest, plus or minus the jitter', async (t) => {
  t.same(
    [2, 3, 4, 9, 10].map((next) => retryDelayMs(RETRY, next, even)),
    [100, 200, 400, 10_000, 10_000],
  );
  t.equal(
    retryDelayMs({ ...RETRY, jitter: 0.5 }, 2, () => 0),
    50,
  );
  t.equal(
    retryDelayMs({ ...RETRY, jitter: 0.5 }, 2, () => 1),
    150,
  );
  t.equal(retryDelayMs(undefined, 2, even), 0);
});

test('after any number of attempts a delay is a number', async (t) => {
  for (const next of [2, 1025, 1026, 1e6]) {
    t.equal(retryDelayMs({ ...RETRY, initial_delay: 0 }, next, even), 0);
    t.equal(retryDelayMs(RETRY, next, even), next === 2 ? 100 : 10_000);
    t.equal(retryDelayMs({ ...RETRY, max_delay: 0 }, next, even), 0);
  }
});

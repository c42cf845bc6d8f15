import { test } from 'tap';
import { callOptionsReader, mergedOptions } from '../../runtime/call-options.ts';

test('options that ask for nothing are none', async (t) => {
  const read = callOptionsReader();
  for (const written of [
    {},
    { timeout: 0 },
    { timeout: '0s' },
    { retry: {} },
    { retry: { max_attempts: 1 } },
    { x: 1 },
  ]) {
    t.equal(read(written), undefined, JSON.stringify(written));
  }
});

test('durations, defaults, and the empty table of Lua for an empty list', async (t) => {
  const read = callOptionsReader();
  t.same(read({ timeout: '1m30s' })?.timeout, { ms: 90_000, text: '1m30s' });
  t.same(read({ timeout: 5e6 })?.timeout, { ms: 5, text: '5ms' });
  t.same(read({ retry: { max_attempts: 2, skip_kinds: {}, initial_delay: '1s' } }), {
    retry: {
      max_attempts: 2,
      initial_delay: 1000,
      max_delay: 10_000,
      backoff_factor: 2,
      jitter: 0.1,
      retry_kinds: ['Unavailable', 'Timeout', 'RateLimited', 'Conflict'],
      skip_kinds: [],
    },
  });
});

test('an object is decoded once', async (t) => {
  const read = callOptionsReader();
  let reads = 0;
  const written = {
    get timeout() {
      reads += 1;
      return '1s';
    },
  };
  t.equal(read(written), read(written));
  const once = reads;
  read(written);
  t.equal(reads, once);
  t.not(read({ timeout: '1s' }), read(written), 'another object is another one');
});

test('invalid options name their keys', async (t) => {
  const read = callOptionsReader();
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ timeout: 'soon' }, /^option 'timeout': expected a duration such as 250ms, 5s or 1h, got "soon"$/],
    [{ timeout: -1 }, /^option 'timeout': /],
    [
      { timeout: '1s', retry: { max_attempts: 1.5 } },
      /^option 'retry.max_attempts': expected a whole number, got 1.5$/,
    ],
    [{ retry: 3 }, /^option 'retry': /],
    [{ retry: { jitter: 2, retry_kinds: 'Timeout' } }, /^option 'retry.jitter': .*; option 'retry.retry_kinds': /],
  ];
  for (const [written, message] of cases) {
    const options = read(written);
    t.match(options?.problem, { kind: 'Invalid', retryable: false, message }, JSON.stringify(written));
    t.same(Object.keys(options ?? {}), ['problem'], 'and nothing else holds');
  }
});

test('merging goes key by key, also in retry', async (t) => {
  const entry = { timeout: '1s', retry: { max_attempts: 3, jitter: 0 } };
  t.same(mergedOptions(entry, { extra: 1, retry: { max_attempts: 5 } }), {
    timeout: '1s',
    extra: 1,
    retry: { max_attempts: 5, jitter: 0 },
  });
  t.same(mergedOptions(entry, { retry: 'no' }).retry, 'no');
});

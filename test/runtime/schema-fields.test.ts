import { test } from 'tap';
import type { z } from 'zod';
import { componentOptions, lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt, required, wholeNumber } from '../../runtime/schema-fields.ts';

const messages = (schema: z.ZodType, value: unknown): readonly string[] =>
  schema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

test('a duration is a text of Go or whole nanoseconds, and comes out in milliseconds', async (t) => {
  const schema = duration({ negative: 'interval must be non-negative' });
  t.strictSame(
    ['1m30s', '250us', '0', 1_500_000, 0].map((value) => schema.parse(value)),
    [90_000, 0.25, 0, 1.5, 0],
  );
  t.strictSame(messages(schema, 'soon'), ['expected a duration such as 250ms, 5s or 1h, got "soon"']);
  t.strictSame(messages(schema, 1.5), ['expected a duration such as 250ms, 5s or 1h, got 1.5']);
  t.strictSame(messages(schema, '-1s'), ['interval must be non-negative']);
  t.strictSame(messages(duration({ error: 'no' }), []), ['no']);
  t.strictSame(messages(duration({ error: 'no' }), 'x'), ['no']);
});

test('numbers and texts keep the message they were given', async (t) => {
  t.strictSame(messages(required('source is required'), undefined), ['source is required']);
  t.strictSame(messages(required('source is required'), ''), ['source is required']);
  t.strictSame(messages(nonNegativeInt('size must be non-negative'), -1), ['size must be non-negative']);
  t.strictSame(messages(nonNegativeInt('size must be non-negative'), 1.5), ['expected a whole number, got 1.5']);
  t.strictSame(messages(wholeNumber(), 1.5), ['expected a whole number, got 1.5']);
  t.equal(nonNegativeInt().parse(0), 0);
});

test('lifecycle: defaults, and what a component is told', async (t) => {
  t.match(lifecycleSchema.parse(undefined), {
    auto_start: false,
    start_timeout: 10_000,
    stable_threshold: 5_000,
    restart: { initial_delay: 1_000, max_delay: 90_000, backoff_factor: 2, jitter: 0.1, max_attempts: 0 },
  });
  const lifecycle = lifecycleSchema.parse({
    auto_start: true,
    stop_timeout: '2s',
    startup: 'optional',
    requires: ['a:b'],
    depends_on: ['a:c', 'a:b'],
  });
  t.strictSame(componentOptions(lifecycle), {
    needs: ['a:b', 'a:c'],
    startup: 'optional',
    startTimeoutMs: 10_000,
    stopTimeoutMs: 2_000,
    autoStart: true,
    restart: {
      initial_delay: 1_000,
      max_delay: 90_000,
      backoff_factor: 2,
      jitter: 0.1,
      max_attempts: 0,
      maxAttempts: 0,
      stableThresholdMs: 5_000,
    },
  });
  t.equal(messages(lifecycleSchema, { startup: 'maybe' }).length, 1);
});

import { test } from 'tap';
import { traceIds } from '../../../services/otel/ids.ts';

test('ids are of the W3C form, and no two are the same', async (t) => {
  const ids = traceIds();
  const seen = new Set<string>();
  let wrong = 0;
  const take = (id: string, length: number): void => {
    if (id.length !== length || !/^[0-9a-f]+$/.test(id) || /^0+$/.test(id)) wrong += 1;
    seen.add(id);
  };
  for (let i = 0; i < 5000; i++) {
    take(ids.traceId(), 32);
    take(ids.spanId(), 16);
    take(ids.generator.generateTraceId(), 32);
    take(ids.generator.generateSpanId(), 16);
  }
  t.equal(wrong, 0);
  t.equal(seen.size, 20_000);
  t.not(traceIds().traceId(), traceIds().traceId(), 'two sources are not one');
});

test('every digit takes every value', async (t) => {
  const ids = traceIds();
  const seen = Array.from({ length: 32 }, () => new Set<string>());
  for (let i = 0; i < 1000; i++) for (const [at, digit] of [...ids.traceId()].entries()) seen[at]?.add(digit);
  t.ok(seen.every((digits) => digits.size === 16));
});

test('a trace id that was reserved is the next one of the SDK, once', async (t) => {
  const ids = traceIds();
  const id = ids.traceId();
  ids.reserve(id);
  ids.generator.generateSpanId();
  t.equal(ids.generator.generateTraceId(), id);
  t.not(ids.generator.generateTraceId(), id);
});

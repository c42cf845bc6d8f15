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

test('a trace id that is made for a fold folds to it, and is random for the rest', async (t) => {
  const ids = traceIds();
  const foldOf = (id: string) => [0, 8, 16, 24].reduce((all, at) => all ^ Number.parseInt(id.slice(at, at + 8), 16), 0);
  const folds = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), ...Array.from({ length: 2000 }, () => ids.fold())];
  const made = folds.map((fold) => ids.traceIdOf(fold));
  t.same(
    made.filter((id, i) => foldOf(id) !== folds[i] || !/^[0-9a-f]{32}$/.test(id)),
    [],
  );
  t.equal(new Set(made).size, made.length);
  t.not(ids.traceIdOf(7), ids.traceIdOf(7));
  t.ok(folds.filter((fold) => fold < 0).length > 800, 'every bit of a fold is random, the first too');
});

import { test } from 'tap';
import { joinPath, pathIn, splitPath, valueAt, withValueAt } from '../../runtime/dotted-path.ts';
import { didYouMean, nearest } from '../../runtime/nearest.ts';

test('paths as texts and as steps', async (t) => {
  t.equal(joinPath(['entries', 2, 'pool', 'size']), 'entries[2].pool.size');
  t.strictSame(splitPath('input[0].a'), ['input', 0, 'a']);
  t.strictSame(splitPath('input.0.a'), ['input', 0, 'a']);
  t.strictSame(pathIn({ options: { 'a.b': { c: 1 } } }, 'options.a.b.c'), ['options', 'a.b', 'c']);
  t.strictSame(pathIn({ a: [{ b: 1 }] }, 'a.0.b'), ['a', 0, 'b']);
  t.strictSame(pathIn({}, 'x.y'), ['x', 'y']);
});

test('values at paths; changes are copies', async (t) => {
  const value = { a: [{ b: 1 }], c: 2 };
  t.equal(valueAt(value, ['a', 0, 'b']), 1);
  t.equal(valueAt(value, ['a', 7, 'b', 'toString']), undefined);
  t.equal(valueAt({}, ['constructor']), undefined, 'what every object inherits is no value');
  t.strictSame(withValueAt(value, ['a', 0, 'b'], 5), { a: [{ b: 5 }], c: 2 });
  t.strictSame(withValueAt(value, ['c'], undefined), { a: [{ b: 1 }] });
  t.strictSame(withValueAt({}, ['x', 'y'], 1), { x: { y: 1 } });
  t.strictSame(value, { a: [{ b: 1 }], c: 2 });
  withValueAt({}, ['__proto__', 'polluted'], true);
  t.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('the nearest name is a typing error away, or begins alike', async (t) => {
  t.equal(nearest('loger', ['otel', 'logger']), 'logger');
  t.equal(nearest('cpu', ['instructions', 'cpu_ms']), 'cpu_ms');
  t.equal(nearest('LEVEL', ['level']), 'level');
  t.equal(nearest('colour', ['level', 'encoding']), undefined);
  t.equal(nearest('id', ['ns']), undefined);
  t.equal(didYouMean('jsn', ['json']), " Did you mean 'json'?");
  t.equal(didYouMean('zzz', ['json']), '');
});

import { test } from 'tap';
import { cyclesOf, dependencyOrder } from '../../../boot/declarations/order.ts';

const needs = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

test('what is needed comes first, and nothing else depends on the order of the files', async (t) => {
  t.strictSame(dependencyOrder(needs({ c: ['a'], a: ['b', 'z'], b: [], z: [] })), ['b', 'z', 'a', 'c']);
  t.strictSame(dependencyOrder(needs({ b: [], a: [] })), ['a', 'b']);
  t.strictSame(dependencyOrder(needs({ a: ['gone'] })), ['a']);
  t.strictSame([...dependencyOrder(needs({ a: ['b'], b: ['a'] }))].sort(), ['a', 'b'], 'a cycle has an end');
});

test('a chain longer than the call stack is deep', async (t) => {
  const chain = new Map(Array.from({ length: 30_000 }, (_, i) => [`n${i}`, [`n${i + 1}`]] as const));
  t.equal(dependencyOrder(chain)[0], 'n29999');
});

test('each group of ids that need each other is shown once, by its shortest way round', async (t) => {
  t.strictSame(cyclesOf(needs({ a: ['b'], b: [] })), []);
  t.strictSame(cyclesOf(needs({ a: ['a'] })), [['a', 'a']]);
  t.strictSame(cyclesOf(needs({ a: ['b'], b: ['c'], c: ['b', 'a'], d: ['a'] })), [['a', 'b', 'c', 'a']]);
  t.strictSame(cyclesOf(needs({ a: ['b'], b: ['a'], x: ['y'], y: ['x'] })), [
    ['a', 'b', 'a'],
    ['x', 'y', 'x'],
  ]);
});

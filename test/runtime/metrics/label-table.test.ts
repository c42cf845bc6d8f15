import { test } from 'tap';
import { labelTable } from '../../../runtime/metrics/label-table.ts';

test('1,000 rows of three labels are found again, others are not', async (t) => {
  const table = labelTable(3);
  const sets = Array.from({ length: 1000 }, (_, i) => [
    `a${i % 10}`,
    `b${Math.floor(i / 10) % 10}`,
    `c${Math.floor(i / 100)}`,
  ]);
  t.equal(table.find(['a0', 'b0', 'c0']), -1);
  t.strictSame(
    sets.map((values) => table.add(values)),
    sets.map((_, row) => row),
  );
  t.ok(sets.every((values, row) => table.find(values) === row));
  t.ok(sets.every((values, row) => table.values(row).join() === values.join()));
  for (const other of [
    ['a1', 'b1', 'c10'],
    ['b1', 'a1', 'c1'],
    ['a1', 'b1', ''],
    ['a10', 'b1', 'c1'],
  ]) {
    t.equal(table.find(other), -1, other.join());
  }
  t.equal(table.size, 1000);
});

test('labels as an object are found in the order that is said, and in no other', async (t) => {
  const table = labelTable(2);
  table.add(['x', 'y']); // of the names a, b
  const ab = [
    ['a', 'b'],
    [0, 1],
  ] as const;
  const ba = [
    ['b', 'a'],
    [1, 0],
  ] as const;
  t.equal(table.findNamed({ a: 'x', b: 'y' }, ...ab), 0);
  t.equal(table.findNamed({ b: 'y', a: 'x' }, ...ba), 0);
  t.equal(table.findNamed({ b: 'y', a: 'x' }, ...ab), -1);
  t.equal(table.findNamed({ a: 'x' }, ...ab), -1);
  t.equal(table.findNamed({ a: 'x', b: 'y', c: 'z' }, ...ab), -1);
  t.equal(table.findNamed({ a: 'y', b: 'x' }, ...ab), -1);
});

test('without labels there is one row', async (t) => {
  const table = labelTable(0);
  t.equal(table.find([]), -1);
  t.equal(table.add([]), 0);
  t.equal(table.find([]), 0);
  t.equal(table.findNamed({}, [], []), 0);
  t.equal(table.findNamed({ a: '1' }, [], []), -1);
});

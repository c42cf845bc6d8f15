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

test('the texts of a column, each once', async (t) => {
  const table = labelTable(2);
  for (const values of [
    ['x', 'y'],
    ['x', 'z'],
  ]) {
    table.add(values);
  }
  t.strictSame([table.texts(0), table.texts(1)], [['x'], ['y', 'z']]);
});

test('without labels there is one row', async (t) => {
  const table = labelTable(0);
  t.equal(table.find([]), -1);
  t.equal(table.add([]), 0);
  t.equal(table.find([]), 0);
});

import { test } from 'tap';
import { type LabelTable, labelTable } from '../../../runtime/metrics/label-table.ts';
import { labelWay } from '../../../runtime/metrics/label-way.ts';

/** With a count of what is looked up by text. */
const countedTable = (width: number) => {
  const table = labelTable(width);
  const counted = { lookUps: 0 };
  const find: LabelTable['find'] = (values) => {
    counted.lookUps += 1;
    return table.find(values);
  };
  return { table: Object.create(table, { find: { value: find } }) as LabelTable, counted };
};

test('labels are found in the order of the way, and in no other', async (t) => {
  const table = labelTable(2);
  table.add(['x', 'y']); // of the names a, b
  const ab = labelWay(table, ['a', 'b'], [0, 1]);
  const ba = labelWay(table, ['b', 'a'], [1, 0]);
  for (const round of ['by the table', 'by their print']) {
    t.equal(ab.find({ a: 'x', b: 'y' }), 0, round);
    t.equal(ba.find({ b: 'y', a: 'x' }), 0, round);
    t.equal(ab.find({ b: 'y', a: 'x' }), -1);
    t.equal(ab.find({ a: 'x' }), -1);
    t.equal(ab.find({ a: 'x', b: 'y', c: 'z' }), -1);
    t.equal(ab.find({ a: 'y', b: 'x' }), -1);
    t.equal(ab.find({ a: 'x', b: '' }), -1);
    t.equal(ab.find({ a: 'x', b: undefined } as unknown as Record<string, string>), -1);
  }
});

test('without labels there is one row', async (t) => {
  const table = labelTable(0);
  const way = labelWay(table, [], []);
  t.equal(way.find({}), -1);
  table.add([]);
  t.equal(way.find({}), 0);
  t.equal(way.find({ a: '1' }), -1);
});

/** What differs where: at the end, in the middle, in the length, far from the beginning, not in what is read. */
const TEXTS: Readonly<Record<string, (i: number) => string>> = {
  numbers: (i) => `user-${i}`,
  routes: (i) => `/v1/orders/${i}/items/{id}`,
  lengths: (i) => 'x'.repeat(i),
  'a long beginning': (i) => `${'/very/long/path'.repeat(10)}${i}`,
  'beyond ASCII': (i) => `日本${String.fromCodePoint(0x4e00 + i)}🎉`,
};
for (const [name, text] of Object.entries(TEXTS)) {
  test(`every row is found among those whose texts differ in ${name}`, async (t) => {
    const table = labelTable(2);
    const way = labelWay(table, ['b', 'a'], [1, 0]);
    const sets = Array.from({ length: 600 }, (_, i) => ({ b: text(i), a: text(i % 7) }));
    for (let round = 0; round < 4; round += 1) {
      for (const [row, labels] of sets.entries()) {
        if (round === 0) {
          t.equal(way.find(labels), -1);
          table.add([labels.a, labels.b]);
        } else if (way.find({ ...labels }) !== row) t.fail(`row ${row} of round ${round}`);
      }
    }
    t.equal(way.find({ b: text(600), a: text(0) }), -1);
    t.equal(way.find({ b: text(0), a: text(1) }), -1);
  });
}

test('what was used before is found without a look-up by text; texts that prints do not tell apart are not', async (t) => {
  const rounds = (text: (i: number) => string): number => {
    const { table, counted } = countedTable(3);
    const way = labelWay(table, ['x', 'y', 'z'], [0, 1, 2]);
    const sets = Array.from({ length: 512 }, (_, i) => ({ x: text(i & 7), y: text((i >> 3) & 7), z: text(i >> 6) }));
    for (const { x, y, z } of sets) table.add([x, y, z]);
    for (let round = 0; round < 8; round += 1) for (const labels of sets) way.find(labels);
    counted.lookUps = 0;
    for (const labels of sets) way.find(labels);
    return counted.lookUps;
  };
  t.ok(rounds((i) => `/orders/${i}/{id}`) < 512 / 16);
  t.ok(rounds((i) => `${' '.repeat(100)}${i}`) > 500);
});

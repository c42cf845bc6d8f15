import { test } from 'tap';
import { growingBytes, rowBytes } from '../../../services/prometheus/row-bytes.ts';

const textOf = (rows: ReturnType<typeof rowBytes>, first: number, last: number): string => {
  const out = growingBytes(0);
  rows.copyTo(out, first, last);
  return out.all().toString();
};

test('rows come back in their order, whatever was written when', async (t) => {
  const rows = rowBytes();
  const texts: string[] = [];
  // A cheap sequence without a pattern: lengths go up and down, in other characters than ASCII too.
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let version = 0; version < 6000; version += 1) {
    const row = next(700);
    const text = `${row}:${'ü'.repeat(next(9))}${version}✓`.repeat(next(4));
    rows.put(row, version, text);
    texts[row] = text;
    if (!rows.has(row, version)) t.fail('the version is kept');
  }
  const expected = (first: number, last: number): string =>
    Array.from({ length: last - first }, (_, i) => texts[first + i] ?? '').join('');
  for (const [first, last] of [
    [0, 700],
    [0, 64],
    [250, 260],
    [255, 257],
    [699, 900],
    [5, 5],
  ] as const) {
    t.equal(textOf(rows, first, last), expected(first, last), `${first} to ${last}`);
  }
});

test('rows that were never written have no version and no lines', async (t) => {
  const rows = rowBytes();
  t.equal(textOf(rows, 0, 10), '');
  rows.put(3, 1, 'x');
  t.notOk(rows.has(2, 1));
  t.notOk(rows.has(4, 1));
  t.notOk(rows.has(3, 2));
  t.equal(textOf(rows, 0, 10), 'x');
});

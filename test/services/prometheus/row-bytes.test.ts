import { test } from 'tap';
import { growingBytes, rowBytes } from '../../../services/prometheus/row-bytes.ts';

const textOf = (rows: ReturnType<typeof rowBytes>, first: number, last: number): string => {
  const out = growingBytes(0);
  rows.copyTo(out, first, last);
  return Buffer.concat(out.parts()).toString();
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

test('bytes that were expected are one part, and what is longer comes in parts that hold it all', async (t) => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'é'.repeat(i % 50)}\n`);
  const write = (expected: number) => {
    const out = growingBytes(expected);
    for (const [i, text] of texts.entries()) {
      if (i % 2 === 0) out.addText(text);
      else out.addBytes(Buffer.from(`x${text}`), 1, Buffer.byteLength(text) + 1);
    }
    return out.parts();
  };
  const all = texts.join('');
  const [expected, grown] = [write(Buffer.byteLength(all) + 200), write(0)];
  t.equal(expected.length, 1);
  t.ok(grown.length > 2, `${grown.length} parts`);
  for (const parts of [expected, grown]) t.ok(Buffer.concat(parts).toString() === all);
});

import { test } from 'tap';
import { LENGTH_ONLY, printOf, printPlaces } from '../../../runtime/metrics/text-print.ts';

const apart = (texts: readonly string[], places = printPlaces(texts)): number =>
  new Set(texts.map((text) => printOf(text, places))).size;

test('the characters that tell texts apart are found, wherever they are', async (t) => {
  const digits = Array.from({ length: 30 }, (_, i) => String(100 + i * 7));
  for (const text of [
    (digit: string) => `${digit} at the beginning`,
    (digit: string) => `/orders/${digit}/{id}`,
    (digit: string) => `at the end ${digit}`,
    (digit: string) => `${digit[0]}:${digit[1]}:${digit[2]}`,
  ]) {
    const texts = digits.map(text);
    t.equal(apart(texts), 30, String(texts[0]));
    t.equal(apart(texts, LENGTH_ONLY), 1, 'and their length alone does not');
  }
});

test('no more characters are read than there is need for', async (t) => {
  t.strictSame(printPlaces([]), LENGTH_ONLY);
  t.strictSame(printPlaces(['', 'a', 'bb']), LENGTH_ONLY);
  t.strictSame(printPlaces(['GET', 'PUT']), { ...LENGTH_ONLY, first: 1 });
  t.equal(printPlaces(['aa', 'ab', 'ba', 'bb']).third, LENGTH_ONLY.third);
});

test('of many and long texts a part is looked at', async (t) => {
  const texts = Array.from({ length: 10_000 }, (_, i) => `${String(i).padStart(5, '0')}${'x'.repeat(10_000)}`);
  t.ok(apart(texts) >= 900, 'three digits of five');
});

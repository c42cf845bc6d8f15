import { test } from 'tap';
import { numberText } from '../../../runtime/lua/arguments.ts';
import { exponentialText, fixedText, generalText } from '../../../runtime/lua/decimal.ts';

// Expected texts are what C's printf writes (glibc).
test('%.14g', async (t) => {
  const cases: [number, string][] = [
    [0.1, '0.1'],
    [1 / 3, '0.33333333333333'],
    [0.1 + 0.2, '0.3'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [0.00012345, '0.00012345'],
    [-0.5, '-0.5'],
    [1.5e-7, '1.5e-07'],
    [123456.789, '123456.789'],
    [99999999999999.95, '1e+14'],
    [123456789012345.6, '1.2345678901235e+14'],
    [1234567890123.25, '1234567890123.2'],
    [1234567890123.75, '1234567890123.8'],
    [5e-324, '4.9406564584125e-324'],
    [1.7976931348623157e308, '1.7976931348623e+308'],
    [2 ** 53, '9.007199254741e+15'],
  ];
  for (const [n, expected] of cases) {
    t.equal(generalText(n, 14), expected, `${n}`);
    t.equal(numberText(n), expected, `numberText ${n}`);
  }
});

test('rule 57: integral numbers below 2^53 print without fraction or exponent', async (t) => {
  t.equal(numberText(2 ** 53 - 1), '9007199254740991');
  t.equal(numberText(-(2 ** 53 - 1)), '-9007199254740991');
  t.equal(numberText(1e15), '1000000000000000');
  t.equal(numberText(-0), '0');
  t.same([Infinity, -Infinity, NaN].map(numberText), ['inf', '-inf', 'nan']);
});

test('halves go to the even digit, everything else to the nearest', async (t) => {
  t.same(
    [0.5, 1.5, 2.5, 3.5, 0.50001, 2.4999, -0.5, -1.5].map((n) => fixedText(n, 0)),
    ['0', '2', '2', '4', '1', '2', '-0', '-2'],
  );
  t.same(
    [0.125, 0.375, 1.005, 0.15].map((n) => fixedText(n, 2)),
    ['0.12', '0.38', '1.00', '0.15'],
  );
  t.same(
    [2.5, 3.5, 12.5].map((n) => exponentialText(n, 0)),
    ['2e+0', '4e+0', '1e+1'],
  );
  t.equal(exponentialText(1.25, 1), '1.2e+0');
  t.equal(exponentialText(9.5, 0), '1e+1', 'a carry');
  t.equal(fixedText(9.5, 0), '10');
  t.equal(generalText(0.5, 0), '0.5');
  t.equal(generalText(2.5, 1), '2');
});

test('large numbers and many digits', async (t) => {
  t.equal(fixedText(1e22, 2), '10000000000000000000000.00');
  t.equal(fixedText(-1e22, 0), '-10000000000000000000000');
  t.equal(fixedText(0.1, 20), '0.10000000000000000555');
  t.equal(fixedText(0.1, 99).length, 101);
  t.equal(generalText(1e-300, 99).length, 104);
  t.equal(generalText(1, 6, true), '1.00000');
});

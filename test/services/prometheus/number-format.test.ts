import { test } from 'tap';
import { formatCanonical } from '../../../services/prometheus/number-format.ts';

test('bounds of OpenMetrics are canonical numbers: what Go prints, and always a float', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0.0'],
    [1e-10, '1e-10'],
    [2.5e-5, '2.5e-05'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [0.00025, '0.00025'],
    [0.1, '0.1'],
    [1, '1.0'],
    [10, '10.0'],
    [86400, '86400.0'],
    [100_000, '100000.0'],
    [999_999.5, '999999.5'],
    [1e6, '1e+06'],
    [1_048_576, '1.048576e+06'],
    [1e10, '1e+10'],
    [1e100, '1e+100'],
    [-2, '-2.0'],
    [-1e6, '-1e+06'],
    [Number.POSITIVE_INFINITY, '+Inf'],
  ];
  for (const [bound, text] of cases) t.equal(formatCanonical(bound), text);
});

import { test } from 'tap';
import { createCollector } from '../../../runtime/metrics/core.ts';
import { bucketIndex, downscale, exponentialSeries } from '../../../runtime/metrics/exponential.ts';
import { testCollector } from './fixture.ts';

const sum = (counts: ArrayLike<number>): number => Array.from(counts).reduce((total, count) => total + count, 0);

test('a bucket holds its upper bound and not its lower one', async (t) => {
  // The data model's examples, by scale: base 2 at 0, 4 at -1, 16 at -2, the root of 2 at 1.
  const cases: readonly (readonly [scale: number, value: number, index: number])[] = [
    [0, 1, -1],
    [0, 1.5, 0],
    [0, 2, 0],
    [0, 2.000001, 1],
    [0, 0.5, -2],
    [-1, 4, 0],
    [-1, 4.01, 1],
    [-1, 1, -1],
    [-2, 16, 0],
    [-2, 17, 1],
    [1, 1, -1],
    [1, 1.4, 0],
    [1, 1.5, 1],
    [1, 2, 1],
    [20, 1, -1],
    [20, 2, 2 ** 20 - 1],
    [0, Number.MAX_VALUE, 1023],
    [0, Number.MIN_VALUE, -1075],
    [-10, Number.MIN_VALUE, -2],
  ];
  for (const [scale, value, index] of cases) t.equal(bucketIndex(value, scale), index, `${value} at ${scale}`);
});

test('at every scale a value lies within the bounds of its bucket', async (t) => {
  let wrong = 0;
  for (let scale = -5; scale <= 20; scale++) {
    for (let i = 0; i < 400; i++) {
      const value = 2 ** ((i - 200) / 7.3);
      const index = bucketIndex(value, scale);
      const width = 2 ** -scale;
      const exponent = Math.log2(value);
      const slack = 1e-12 * Math.abs(exponent); // of the logarithm of this test
      if (!(index * width <= exponent + slack && exponent <= (index + 1) * width + slack)) wrong += 1;
    }
  }
  t.equal(wrong, 0);
});

test('the bucket at a lower scale is the same as the merged one', async (t) => {
  let wrong = 0;
  for (let i = 0; i < 2000; i++) {
    const value = (i + 1) * 0.0317;
    for (const scale of [8, 3, 0]) if (bucketIndex(value, scale) >> 2 !== bucketIndex(value, scale - 2)) wrong += 1;
  }
  t.equal(wrong, 0);
});

test('there are never more than 160 buckets, and nothing is lost when they get wider', async (t) => {
  const series = exponentialSeries();
  t.same(series.snapshot(), { scale: 20, zeroCount: 0, offset: 0, counts: new Float64Array(0) });
  let count = 0;
  let scale = 20;
  for (const factor of [1, 1.0001, 3, 1000, 1e-6, 1e-300, 1e300]) {
    for (let i = 1; i <= 50; i++) {
      series.record(factor * (1 + i / 100));
      count += 1;
    }
    const now = series.snapshot();
    t.ok(now.counts.length <= 160, `${now.counts.length} buckets`);
    t.ok(now.counts.length > 40, 'as fine as it can be'); // halving again would still leave more than a quarter
    t.ok(now.scale <= scale, 'the scale only falls');
    scale = now.scale;
    t.equal(sum(now.counts), count);
  }
  series.record(0);
  t.match(series.snapshot(), { zeroCount: 1 });
  t.equal(sum(series.snapshot().counts), count);
});

test('what was observed in any order ends in the same buckets', async (t) => {
  const values = Array.from({ length: 300 }, (_, i) => 0.001 * 1.05 ** i);
  const of = (list: readonly number[]) => {
    const series = exponentialSeries(20);
    for (const value of list) series.record(value);
    return series.snapshot();
  };
  t.same(of(values), of(values.toReversed()));
  t.same(of(values), of(values.toSorted((a, b) => Math.sin(a * 1e5) - Math.sin(b * 1e5))));
});

test('downscale merges neighbours, negative indexes included', async (t) => {
  const buckets = { scale: 3, zeroCount: 1, offset: -3, counts: [1, 2, 3, 4, 5] }; // -3 .. 1
  t.same(downscale(buckets, 1), { scale: 2, zeroCount: 1, offset: -2, counts: Float64Array.of(1, 5, 9) });
  t.same(downscale(buckets, 3), { scale: 0, zeroCount: 1, offset: -1, counts: Float64Array.of(6, 9) });
  t.equal(downscale(buckets, 0), buckets);
});

test('a histogram has exponential buckets where it is configured, and takes the same values', async (t) => {
  const { clock } = testCollector();
  const collector = createCollector({ namespace: 'wippy', clock, exponentialHistograms: ['fine', 'jobs'] });
  const spec = { help: 'h', unit: 's', labels: [], boundaries: [1] };
  const fine = collector.histogram({ ...spec, name: 'fine' }).bind({});
  const coarse = collector.histogram({ ...spec, name: 'coarse' }).bind({});
  collector
    .counter({ ...spec, name: 'jobs' })
    .bind({})
    .add(1);
  for (const value of [0, 0.5, 2, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    fine.observe(value);
    coarse.observe(value);
  }
  const series = (name: string) =>
    collector.snapshot().families.find((family) => family.name === `wippy_${name}`)?.series[0];
  t.equal(series('fine')?.count, 3);
  t.match(series('fine')?.exponential, { zeroCount: 1 });
  t.equal(sum(series('fine')?.exponential?.counts ?? []), 2, 'what the histogram refused is in neither');
  t.equal(series('coarse')?.exponential, undefined);
  t.equal(series('jobs')?.exponential, undefined);
  t.equal(series('fine'), series('fine'), 'the same object while nothing changes');
});

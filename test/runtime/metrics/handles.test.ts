import { test } from 'tap';
import { DURATION_SECONDS } from '../../../runtime/metrics/instruments.ts';
import { familyOf, seriesOf, testCollector, valueAt } from './fixture.ts';

const INVALID = 'wippy_telemetry_invalid_observations_total';
const counterSpec = { name: 'jobs_total', help: 'Jobs.', unit: '{job}', labels: ['queue'] as const };
const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

test('rule 5: one emit is the value 1 in one series', async (t) => {
  const { collector } = testCollector();
  collector.counter(counterSpec).bind({ queue: 'a' }).add(1);
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a' }), 1);
  t.equal(familyOf(collector, 'wippy_jobs_total')?.series.length, 1);
});

test('two handles of one label set write one series', async (t) => {
  const { collector } = testCollector();
  collector.counter(counterSpec).bind({ queue: 'a' }).add(1);
  collector.counter(counterSpec).bind({ queue: 'a' }).add(2);
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a' }), 3);
});

test('rules 8 and 32: what a counter cannot take changes nothing, throws nothing and is counted', async (t) => {
  const { collector, lines } = testCollector();
  const bound = collector.counter(counterSpec).bind({ queue: 'a' });
  bound.add(2);
  const version = seriesOf(collector, 'wippy_jobs_total', { queue: 'a' })?.version;
  t.equal(familyOf(collector, INVALID), undefined, 'no series before the first one');
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) bound.add(bad);
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a' }), 2);
  t.equal(seriesOf(collector, 'wippy_jobs_total', { queue: 'a' })?.version, version);
  t.equal(valueAt(collector, INVALID, { reason: 'negative' }), 1);
  t.equal(valueAt(collector, INVALID, { reason: 'nan' }), 1);
  t.equal(valueAt(collector, INVALID, { reason: 'infinite' }), 2);
  t.equal(lines.filter((line) => line.level === 'warn').length, 1, 'one warning names the metric');
  t.match(lines[0]?.message, /wippy_jobs_total/);
});

test('rule 32: a total beyond the largest double stays what it was', async (t) => {
  const { collector } = testCollector();
  const counter = collector.counter(counterSpec).bind({ queue: 'a' });
  const gauge = collector.upDownCounter({ name: 'level', help: 'h', unit: '1', labels: [] }).bind({});
  const histogram = collector.histogram({ name: 'h', help: 'h', unit: '1', labels: [], boundaries: [1] }).bind({});
  for (let i = 0; i < 2; i += 1) {
    counter.add(1e308);
    gauge.add(-1e308);
    histogram.observe(1e308);
  }
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a' }), 1e308);
  t.equal(valueAt(collector, 'wippy_level'), -1e308);
  t.match(seriesOf(collector, 'wippy_h'), { value: 1e308, count: 1 });
  t.equal(valueAt(collector, INVALID, { reason: 'infinite' }), 3);
});

test('rule 2: a gauge is set, an up-down counter is added to, and they are two metrics', async (t) => {
  const { collector } = testCollector();
  const level = collector.gauge({ name: 'level', help: 'h', unit: '1', labels: [] }).bind({});
  const active = collector.upDownCounter({ name: 'active', help: 'h', unit: '1', labels: [] }).bind({});
  t.equal(valueAt(collector, 'wippy_level'), 0, 'without labels it is there at 0');
  active.add(1);
  level.set(7);
  active.add(1);
  active.add(-2);
  level.set(5);
  level.set(Number.NaN);
  t.equal(valueAt(collector, 'wippy_level'), 5);
  t.equal(valueAt(collector, 'wippy_active'), 0);
  t.throws(() => collector.upDownCounter({ name: 'level', help: 'h', unit: '1', labels: [] }), /gauge.*up-down/);
});

test('counters are exact to 2^53', async (t) => {
  const { collector } = testCollector();
  const bound = collector.counter(counterSpec).bind({ queue: 'a' });
  bound.add(2 ** 53 - 2);
  bound.add(1);
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a' }), 2 ** 53 - 1);
});

test('rule 37: 200 µs and 2 s fall in distinct buckets, a bound belongs to its bucket', async (t) => {
  const { collector } = testCollector();
  const spec = { name: 'x_seconds', help: 'h', unit: 's', labels: [], boundaries: DURATION_SECONDS } as const;
  const bound = collector.histogram(spec).bind({});
  t.equal(familyOf(collector, 'wippy_x_seconds'), undefined, 'an unused histogram is not shown');
  for (const seconds of [0.0002, 2, 0.5, 11]) bound.observe(seconds);
  const series = seriesOf(collector, 'wippy_x_seconds');
  const counts = Array.from(series?.bucketCounts ?? []);
  t.equal(counts.length, DURATION_SECONDS.length + 1);
  const filled = counts.flatMap((count, i) => (count > 0 ? [DURATION_SECONDS[i] ?? Number.POSITIVE_INFINITY] : []));
  t.strictSame(filled, [0.00025, 0.5, 2.5, Number.POSITIVE_INFINITY]);
  t.equal(series?.count, 4);
  t.equal(series?.value, 13.5002);
  bound.observe(-1);
  bound.observe(Number.NaN);
  t.equal(seriesOf(collector, 'wippy_x_seconds')?.count, 4);
  t.equal(valueAt(collector, INVALID, { reason: 'negative' }), 1);
});

test('exemplars: the latest per bucket and per counter, with value and time', async (t) => {
  const { collector, clock } = testCollector();
  const counter = collector.counter(counterSpec).bind({ queue: 'a' });
  const histogram = collector.histogram({ name: 'h', help: 'h', unit: 's', labels: [], boundaries: [1, 2] }).bind({});
  counter.add(1);
  t.strictSame(seriesOf(collector, 'wippy_jobs_total', { queue: 'a' })?.exemplars, []);
  clock.advance(1500);
  counter.add(3, ids);
  histogram.observe(0.5, { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) });
  histogram.observe(0.75, ids);
  histogram.observe(9, ids);
  const time = clock.wall();
  t.strictSame(seriesOf(collector, 'wippy_jobs_total', { queue: 'a' })?.exemplars, [{ ...ids, value: 3, time }]);
  t.strictSame(seriesOf(collector, 'wippy_h')?.exemplars, [
    { ...ids, value: 0.75, time },
    undefined,
    { ...ids, value: 9, time },
  ]);
});

test('values survive the growth of the slots', async (t) => {
  const { collector } = testCollector();
  const spec = { name: 'x_seconds', help: 'h', unit: 's', labels: ['i'], boundaries: DURATION_SECONDS } as const;
  const first = collector.histogram(spec).bind({ i: '0' });
  first.observe(0);
  for (let i = 1; i < 500; i += 1)
    collector
      .histogram(spec)
      .bind({ i: String(i) })
      .observe(i);
  t.match(seriesOf(collector, 'wippy_x_seconds', { i: '0' }), { count: 1 });
  first.observe(0);
  t.match(seriesOf(collector, 'wippy_x_seconds', { i: '0' }), { count: 2 }, 'and a handle from before writes on');
  const family = familyOf(collector, 'wippy_x_seconds');
  t.equal(family?.series.length, 500);
  t.ok(family?.series.every((series, i) => series.value === i && series.count === (i === 0 ? 2 : 1)));
});

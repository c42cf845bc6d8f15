import { test } from 'tap';
import { familyOf, seriesOf, testCollector, valueAt } from './fixture.ts';

const OVERFLOW = 'wippy_telemetry_series_overflow_total';
const spec = { name: 'calls_total', help: 'h', unit: '1', labels: ['host', 'status'] as const };

test('rule 26: over the cap values go to one series of others, nothing is lost from the sum, each is counted', async (t) => {
  const { collector, lines } = testCollector(10);
  const counter = collector.counter(spec);
  for (let i = 0; i < 10; i += 1) counter.bind({ host: `h${i}`, status: '200' }).add(1);
  t.equal(familyOf(collector, OVERFLOW), undefined);
  for (let i = 10; i < 50; i += 1) counter.bind({ host: `h${i}`, status: '200' }).add(2);
  const series = familyOf(collector, 'wippy_calls_total')?.series ?? [];
  t.equal(series.length, 11);
  t.equal(valueAt(collector, 'wippy_calls_total', { host: 'other', status: 'other' }), 80);
  t.equal(
    series.reduce((sum, one) => sum + one.value, 0),
    90,
  );
  t.equal(valueAt(collector, OVERFLOW, { metric: 'wippy_calls_total' }), 40);
  t.equal(lines.filter((line) => /metrics\.max_series/.test(line.message)).length, 1, 'one warning says what to raise');
  counter.bind({ host: 'h3', status: '200' }).add(1);
  t.equal(valueAt(collector, 'wippy_calls_total', { host: 'h3', status: '200' }), 2, 'known ones go on');
});

test('over the cap: a gauge drops the value, up-down counters and histograms keep it', async (t) => {
  const { collector } = testCollector(1);
  const labels = ['host'] as const;
  const gauge = collector.gauge({ name: 'g', help: 'h', unit: '1', labels });
  const active = collector.upDownCounter({ name: 'u', help: 'h', unit: '1', labels });
  const histogram = collector.histogram({ name: 'h', help: 'h', unit: '1', labels, boundaries: [1] });
  for (const host of ['a', 'b', 'c']) {
    gauge.bind({ host }).set(5);
    active.bind({ host }).add(2);
    active.bind({ host }).add(-2);
    histogram.bind({ host }).observe(3);
  }
  t.equal(familyOf(collector, 'wippy_g')?.series.length, 1);
  t.equal(valueAt(collector, OVERFLOW, { metric: 'wippy_g' }), 2);
  t.equal(valueAt(collector, 'wippy_u', { host: 'other' }), 0);
  t.match(seriesOf(collector, 'wippy_h', { host: 'other' }), { count: 2, value: 6 });
});

test('the counter of overflows may overflow itself', async (t) => {
  const { collector } = testCollector(1);
  for (const name of ['a_total', 'b_total', 'c_total']) {
    const counter = collector.counter({ ...spec, name });
    for (const host of ['x', 'y']) counter.bind({ host, status: '200' }).add(1);
  }
  t.equal(valueAt(collector, OVERFLOW, { metric: 'wippy_a_total' }), 1);
  t.equal(valueAt(collector, OVERFLOW, { metric: 'other' }), 2);
});

test('the cap of a dynamic metric holds for label sets of all shapes, and without labels', async (t) => {
  const { collector } = testCollector(3);
  for (let i = 0; i < 20; i += 1) collector.dynamic.counterAdd('lua', 1, { [`k${i % 5}`]: `v${i}` });
  collector.dynamic.counterAdd('lua', 1, {});
  collector.dynamic.counterAdd('lua', 1, {});
  const series = familyOf(collector, 'lua')?.series ?? [];
  t.equal(series.length, 5, 'three, the one of others, the one without labels');
  t.equal(
    series.reduce((sum, one) => sum + one.value, 0),
    22,
  );
  t.equal(valueAt(collector, OVERFLOW, { metric: 'lua' }), 17);
});

test('a handle over the cap looks nothing up per value', async (t) => {
  const { collector } = testCollector(2);
  const counter = collector.counter(spec);
  const took = collector.histogram({ ...spec, name: 'took_seconds', boundaries: [1] });
  for (const host of ['a', 'c']) for (const one of [counter, took]) one.bind({ host, status: '200' });
  const handle = counter.bind({ host: 'b', status: '200' });
  const timer = took.bind({ host: 'b', status: '200' });
  handle.add(1);
  timer.observe(1);
  // What a label set is looked up by is a text of its names.
  const lookups = t.capture(JSON, 'stringify', JSON.stringify);
  for (let i = 0; i < 1000; i += 1) {
    handle.add(1);
    timer.observe(1);
  }
  t.equal(lookups().length, 0);
  t.equal(valueAt(collector, 'wippy_calls_total', { host: 'other', status: 'other' }), 1001);
  t.equal(seriesOf(collector, 'wippy_took_seconds', { host: 'other', status: 'other' })?.count, 1001);
  t.equal(valueAt(collector, OVERFLOW, { metric: 'wippy_took_seconds' }), 1001);
});

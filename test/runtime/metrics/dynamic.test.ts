import { test } from 'tap';
import { familyOf, seriesOf, testCollector, valueAt } from './fixture.ts';

const INVALID = 'wippy_telemetry_invalid_observations_total';

test('counters, gauges and histograms by name, with labels that vary under one name', async (t) => {
  const { collector } = testCollector();
  const { dynamic } = collector;
  t.strictSame(dynamic.counterAdd('orders.placed', 1, {}), { ok: true });
  dynamic.counterAdd('orders.placed', 2, { shop: 'a' });
  dynamic.counterAdd('orders.placed', 3, { shop: 'a', country: 'de' });
  dynamic.counterAdd('orders.placed', 4, { country: 'de', shop: 'a' });
  t.equal(valueAt(collector, 'orders_placed'), 1);
  t.equal(valueAt(collector, 'orders_placed', { shop: 'a' }), 2);
  t.equal(valueAt(collector, 'orders_placed', { shop: 'a', country: 'de' }), 7, 'in whichever order');
  t.equal(familyOf(collector, 'orders_placed')?.series.length, 3);
  dynamic.gaugeSet('level', 4, {});
  dynamic.gaugeSet('level', -2.5, {});
  t.equal(valueAt(collector, 'level'), -2.5);
  dynamic.gaugeAdd('open', 1, {});
  dynamic.gaugeAdd('open', -1, {});
  t.equal(valueAt(collector, 'open'), 0);
  for (const value of [0, 0.5, 1e9]) dynamic.histogramObserve('size', value, {});
  t.match(seriesOf(collector, 'size'), { count: 3, value: 1e9 + 0.5 });
});

test('a label without a value is no label', async (t) => {
  const { collector } = testCollector();
  collector.dynamic.counterAdd('c', 1, { a: '' });
  collector.dynamic.counterAdd('c', 1, {});
  collector.dynamic.counterAdd('c', 1, { a: '' });
  t.equal(familyOf(collector, 'c')?.series.length, 1);
  t.equal(valueAt(collector, 'c'), 3);
});

test('the first use of a name fixes its kind: gauge_set and gauge_inc cannot share one', async (t) => {
  const { collector } = testCollector();
  collector.dynamic.gaugeSet('level', 4, {});
  const result = collector.dynamic.gaugeAdd('level', 1, {});
  t.match(result, { ok: false, problem: /'level' is a gauge and cannot be used as up-down counter/ });
  t.match(collector.dynamic.histogramObserve('level', 1, {}), { ok: false });
  t.equal(valueAt(collector, 'level'), 4);
  t.equal(valueAt(collector, INVALID, { reason: 'kind_conflict' }), 2);
});

test('what cannot be used is told, counted, and changes nothing', async (t) => {
  const { collector } = testCollector();
  const { dynamic } = collector;
  collector
    .counter({ name: 'jobs_total', help: 'h', unit: '1', labels: ['queue'] })
    .bind({ queue: 'a' })
    .add(1);
  dynamic.counterAdd('a.b', 1, {});
  t.match(dynamic.counterAdd('a.b', -1, {}), { ok: false, problem: /'a\.b'.*-1.*negative/ });
  t.match(dynamic.gaugeSet('g', Number.NaN, {}), { ok: false, problem: /nan/ });
  t.match(dynamic.gaugeAdd('u', Number.NEGATIVE_INFINITY, {}), { ok: false, problem: /infinite/ });
  t.match(dynamic.counterAdd('a_b', 1, {}), { ok: false, problem: /'a_b' is taken by metric 'a\.b'/ });
  t.match(dynamic.counterAdd('wippy_jobs_total', 1, {}), { ok: false, problem: /taken by the runtime/ });
  t.match(dynamic.counterAdd('wippy_telemetry_series_overflow_total', 1, {}), { ok: false });
  t.match(dynamic.counterAdd('', 1, {}), { ok: false, problem: /needs a name/ });
  t.match(dynamic.counterAdd('a.b', 1, { 'x-y': '1' }), { ok: false, problem: /label name 'x-y'/ });
  t.match(dynamic.histogramObserve('h', 1, { le: '1' }), { ok: false, problem: /'le'/ });
  t.equal(valueAt(collector, 'a_b'), 1);
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a' }), 1);
  t.equal(valueAt(collector, INVALID, { reason: 'negative' }), 1);
  t.equal(valueAt(collector, INVALID, { reason: 'nan' }), 1);
  t.equal(valueAt(collector, INVALID, { reason: 'infinite' }), 1);
  t.equal(valueAt(collector, INVALID, { reason: 'name' }), 4);
  t.equal(valueAt(collector, INVALID, { reason: 'labels' }), 2);
});

test('a name that Lua took is refused to a later registration, with both named', async (t) => {
  const { collector } = testCollector();
  collector.dynamic.gaugeSet('eventbus_subscribers_active', 1, {});
  const spec = { name: 'eventbus_subscribers_active', namespaced: false, help: 'h', unit: '1', labels: [] };
  t.throws(() => collector.upDownCounter(spec), /gauge 'eventbus.*up-down counter 'eventbus/);
});

test('texts that are not valid Unicode make one series, not two that look alike', async (t) => {
  const { collector } = testCollector();
  collector.dynamic.counterAdd('c', 1, { a: '\ud800' });
  collector.dynamic.counterAdd('c', 1, { a: '\udfff' });
  t.equal(familyOf(collector, 'c')?.series.length, 1);
});

test('ever new label names and orders keep counting, and over the cap they leave nothing behind', async (t) => {
  const { collector } = testCollector(5);
  for (let i = 0; i < 1000; i += 1) collector.dynamic.counterAdd('c', 1, { [`k${i}`]: 'v', a: String(i % 3) });
  const capture = collector.capture().families.find(({ head }) => head.name === 'c');
  t.equal(
    familyOf(collector, 'c')?.series.reduce((sum, one) => sum + one.value, 0),
    1000,
  );
  t.ok((capture?.blocks.length ?? 0) <= 256 + 1);
});

test('one label set in two orders, alternating with another metric, stays one series', async (t) => {
  const { collector } = testCollector();
  for (let i = 0; i < 10; i += 1) {
    collector.dynamic.counterAdd('c', 1, { a: '1', b: '2' });
    collector.dynamic.counterAdd('d', 1, { b: '2', a: '1' });
    collector.dynamic.counterAdd('c', 1, { b: '2', a: '1' });
    collector.dynamic.counterAdd('c', 1, { a: '2', b: '1' });
  }
  t.equal(valueAt(collector, 'c', { a: '1', b: '2' }), 20);
  t.equal(valueAt(collector, 'c', { a: '2', b: '1' }), 10);
  t.equal(valueAt(collector, 'd', { a: '1', b: '2' }), 10);
});

import { test } from 'tap';
import type { ForeignFamily } from '../../../services/prometheus/port.ts';
import { parsePrometheusText, select } from '../../harness/prometheus-text.ts';
import { testCollector } from '../../runtime/metrics/fixture.ts';
import { openMetricsFormatter, textFormatter } from './format.ts';

const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

test('text 0.0.4: one of each kind, to the letter', async (t) => {
  const { collector } = testCollector();
  const labels = ['route', 'method'] as const;
  collector
    .counter({ name: 'b_total', help: 'Say "b"\n\\', unit: '1', labels })
    .bind({ route: 'a:b', method: 'GET' })
    .add(2);
  collector
    .histogram({ name: 'h_seconds', help: 'H.', unit: 's', labels: ['q'], boundaries: [0.5, 1] })
    .bind({ q: 'x' })
    .observe(1);
  collector.upDownCounter({ name: 'u', help: 'U.', unit: '1', labels: [] }).bind({}).add(-0);
  t.equal(
    await textFormatter()(collector),
    [
      '# HELP wippy_b_total Say "b"\\n\\\\',
      '# TYPE wippy_b_total counter',
      'wippy_b_total{method="GET",route="a:b"} 2',
      '# HELP wippy_h_seconds H.',
      '# TYPE wippy_h_seconds histogram',
      'wippy_h_seconds_bucket{q="x",le="0.5"} 0',
      'wippy_h_seconds_bucket{q="x",le="1"} 1',
      'wippy_h_seconds_bucket{q="x",le="+Inf"} 1',
      'wippy_h_seconds_sum{q="x"} 1',
      'wippy_h_seconds_count{q="x"} 1',
      '# HELP wippy_u U.',
      '# TYPE wippy_u gauge',
      'wippy_u 0',
      '',
    ].join('\n'),
  );
});

test('OpenMetrics: names without _total, units where legal, created, exemplars', async (t) => {
  const { collector } = testCollector();
  const calls = { help: 'Say "c".', unit: '{call}', labels: [] };
  collector
    .counter({ ...calls, name: 'b_seconds_total', unit: 's' })
    .bind({})
    .add(2, ids);
  collector
    .counter({ ...calls, name: 'function_calls' })
    .bind({})
    .add(1, ids);
  collector
    .histogram({ ...calls, name: 'function_duration', unit: 's', boundaries: [0.5, 1] })
    .bind({})
    .observe(0.7, ids);
  collector
    .gauge({ ...calls, name: 'rss_bytes', unit: 'By' })
    .bind({})
    .set(1.5);
  const exemplar = `# {trace_id="${ids.traceId}",span_id="${ids.spanId}"}`;
  t.equal(
    await openMetricsFormatter()(collector),
    [
      '# TYPE wippy_b_seconds counter',
      '# UNIT wippy_b_seconds seconds',
      '# HELP wippy_b_seconds Say \\"c\\".',
      `wippy_b_seconds_total 2 ${exemplar} 2 1700000000.000`,
      'wippy_b_seconds_created 1700000000.000',
      '# TYPE wippy_function_calls unknown',
      '# HELP wippy_function_calls Say \\"c\\".',
      'wippy_function_calls 1',
      '# TYPE wippy_function_duration histogram',
      '# HELP wippy_function_duration Say \\"c\\".',
      'wippy_function_duration_bucket{le="0.5"} 0',
      `wippy_function_duration_bucket{le="1.0"} 1 ${exemplar} 0.7 1700000000.000`,
      'wippy_function_duration_bucket{le="+Inf"} 1',
      'wippy_function_duration_count 1',
      'wippy_function_duration_sum 0.7',
      'wippy_function_duration_created 1700000000.000',
      '# TYPE wippy_rss_bytes gauge',
      '# UNIT wippy_rss_bytes bytes',
      '# HELP wippy_rss_bytes Say \\"c\\".',
      'wippy_rss_bytes 1.5',
      '',
    ].join('\n'),
  );
});

test('OpenMetrics: a counter whose short name another family has is unknown, also when that one comes later', async (t) => {
  const { collector } = testCollector();
  const render = openMetricsFormatter();
  collector.dynamic.counterAdd('jobs_total', 1, {});
  t.match(await render(collector), /# TYPE jobs counter\n.*jobs_total 1\njobs_created /s);
  collector.dynamic.gaugeSet('jobs', 5, {});
  const text = await render(collector);
  t.match(text, /# TYPE jobs gauge\n.*# TYPE jobs_total unknown\n.*jobs_total 1\n/s);
  t.notMatch(text, /jobs_created/);
});

test('OpenMetrics: a counter whose short name is that of another sample is unknown', async (t) => {
  const target: ForeignFamily = {
    family: { name: 'target_info', kind: 'info', help: 'Target', unit: '', boundaries: [] },
    series: [
      {
        labelNames: [],
        labelValues: [],
        startTime: 0,
        version: 1,
        value: 1,
        bucketCounts: [],
        count: 0,
        exemplars: [],
      },
    ],
  };
  const { collector } = testCollector();
  for (const name of ['orders_total', 'orders_created_total', 'size_count_total', 'target_total'])
    collector.dynamic.counterAdd(name, 1, {});
  collector.dynamic.histogramObserve('size', 1, {});
  const parsed = parsePrometheusText(`${await openMetricsFormatter()(collector, [target])}# EOF\n`);
  t.strictSame(
    [...parsed.families].map(([name, { type }]) => `${type} ${name}`),
    [
      'info target',
      'unknown orders_created_total',
      'counter orders',
      'histogram size',
      'unknown size_count_total',
      'unknown target_total',
    ],
  );
  t.equal(select(parsed, 'orders_created_total')[0]?.value, 1);
});

test('label values come back as they went in, and an injected line stays a text', async (t) => {
  const { collector } = testCollector();
  const hostile = 'a"} 1\n# TYPE x counter\nx{b="\\n\\\\ü✓';
  collector.dynamic.counterAdd('c', 1, { v: hostile });
  for (const text of [await textFormatter()(collector), `${await openMetricsFormatter()(collector)}# EOF\n`]) {
    const parsed = parsePrometheusText(text);
    t.equal(select(parsed, 'c', { v: hostile })[0]?.value, 1);
    t.equal(parsed.families.size, 1);
  }
});

test('numbers: small, large, whole and fractional values survive', async (t) => {
  const { collector } = testCollector();
  const values = [0, 1e-7, 123456789.5, 1e21, 2 ** 53, -0.25, 5e-324, Number.MAX_VALUE];
  for (const [i, value] of values.entries()) collector.dynamic.gaugeSet('g', value, { i: String(i) });
  const parsed = parsePrometheusText(await textFormatter()(collector));
  t.strictSame(
    select(parsed, 'g').map((sample) => sample.value),
    values,
  );
});

test('rule 36: buckets are cumulative, +Inf is the count, and the declared boundaries are all there', async (t) => {
  const { collector } = testCollector();
  const boundaries = [0.0001, 0.1, 2.5];
  const bound = collector.histogram({ name: 'h', help: 'h', unit: '1', labels: [], boundaries }).bind({});
  for (const value of [0.00005, 0.05, 0.1, 1, 9, 10]) bound.observe(value);
  for (const format of [textFormatter(), openMetricsFormatter()]) {
    const parsed = parsePrometheusText(await format(collector));
    const buckets = select(parsed, 'wippy_h_bucket');
    t.strictSame(
      buckets.map((bucket) => Number(bucket.labels.le?.replace('+Inf', 'Infinity'))),
      [...boundaries, Number.POSITIVE_INFINITY],
    );
    t.strictSame(
      buckets.map((bucket) => bucket.value),
      [1, 3, 4, 6],
    );
    t.equal(select(parsed, 'wippy_h_count')[0]?.value, 6);
  }
});

test('what was kept of an earlier rendering never shows an old number', async (t) => {
  const { collector } = testCollector();
  const format = textFormatter();
  const bound = collector.counter({ name: 'c_total', help: 'h', unit: '1', labels: ['x'] }).bind({ x: 'a' });
  const idle = collector.counter({ name: 'c_total', help: 'h', unit: '1', labels: ['x'] }).bind({ x: 'b' });
  idle.add(1);
  for (let i = 1; i <= 3; i += 1) {
    bound.add(1);
    const parsed = parsePrometheusText(await format(collector));
    t.equal(select(parsed, 'wippy_c_total', { x: 'a' })[0]?.value, i);
    t.equal(select(parsed, 'wippy_c_total', { x: 'b' })[0]?.value, 1);
  }
});

test('OpenMetrics: a family that took the place of another is seen, though their number is the same', async (t) => {
  const { collector } = testCollector();
  const render = openMetricsFormatter();
  const spec = { name: 'gone', help: 'h', unit: '1', labels: [], namespaced: false };
  const unregister = collector.observe('gauge', spec, {}, () => 1);
  collector.dynamic.counterAdd('jobs_total', 1, {});
  t.match(await render(collector), /# TYPE jobs counter\n/);
  unregister();
  collector.dynamic.gaugeSet('jobs', 5, {});
  t.match(await render(collector), /# TYPE jobs_total unknown\n/);
});

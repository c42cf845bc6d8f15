import { type Test, test } from 'tap';
import { functionsFile, programIn } from '../../harness/in-process.ts';
import { startOtlpCollector } from '../../harness/otlp-collector.ts';
import { select, total } from '../../harness/prometheus-text.ts';

const APP = functionsFile({
  work: {
    body: `for i = 1, 8 do metrics.histogram('orders.size', 2 ^ i, {city = 'Bonn'}) end
      metrics.histogram('orders.weight', 1)`,
    more: { modules: ['metrics'] },
  },
});
const NAMES = ['function_duration', 'orders.size'];

const run = async (t: Test, names: readonly string[]) => {
  const collector = await startOtlpCollector();
  t.teardown(() => collector.close());
  const program = await programIn(t, t.testdir({ '_index.yaml': APP }), {
    set: {
      'metrics.exponential_histograms': JSON.stringify(names),
      'otel.enabled': true,
      'otel.metrics_enabled': true,
      'otel.endpoint': collector.url,
      'otel.metric_export_interval': '100ms',
    },
  });
  for (let i = 0; i < 5; i += 1) await program.call('app:work');
  const pushed = (name: string) =>
    collector.until(() => collector.points(name).findLast(({ count }) => count % 5 === 0));
  return {
    program,
    metrics: await program.scrape(),
    duration: await pushed('wippy_function_duration'),
    size: await pushed('orders_size'),
    weight: await pushed('orders_weight'),
    warnings: program.lines().filter(({ level }) => level === 'warn'),
  };
};
const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

test('exponential histograms: OTLP has their exponential buckets, the scrape the classic ones', async (t) => {
  const { metrics, duration, size, weight, warnings } = await run(t, NAMES);
  for (const [point, name, count] of [
    [duration, 'wippy_function_duration', 5],
    [size, 'orders_size', 40],
  ] as const) {
    t.equal(point.kind, 'exponentialHistogram', name);
    t.equal(sum(point.positive.counts) + point.zeroCount, count);
    t.equal(total(metrics, `${name}_count`), count, 'both sinks have the same');
    t.equal(total(metrics, `${name}_bucket`, { le: '+Inf' }), count);
    t.ok(Math.abs((total(metrics, `${name}_sum`) ?? 0) - point.value) < 1e-9);
    t.ok(select(metrics, `${name}_bucket`).length > 2);
  }
  // 2, 4, .. 256: as many buckets apart as the scale says.
  t.equal(size.positive.counts.filter((one) => one > 0).length, 8);
  t.same(
    size.positive.counts.filter((one) => one > 0),
    Array(8).fill(5),
  );
  t.equal(weight.kind, 'histogram', 'and what is not named is none');
  t.same(warnings, []);
});

test('without the setting all are classic; a name that no metric has is warned about', async (t) => {
  const { duration, size, warnings } = await run(t, ['functions_duration']);
  t.equal(duration.kind, 'histogram');
  t.equal(size.kind, 'histogram');
  t.match(warnings, [
    {
      subsystem: 'telemetry',
      msg: "metrics.exponential_histograms: no metric is called 'functions_duration'. Did you mean 'function_duration'?",
    },
  ]);
});

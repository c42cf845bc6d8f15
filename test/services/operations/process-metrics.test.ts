import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import { registerBuildInfo } from '../../../services/operations/build-info.ts';
import { processMetrics } from '../../../services/operations/process-metrics.ts';
import { poll } from '../../harness/poll.ts';
import { familyOf, recordingLogger, testCollector, valueAt } from '../../runtime/metrics/fixture.ts';
import { openMetricsFormatter } from '../prometheus/format.ts';

test('the names that Node dashboards use are there, with numbers that can be true', async (t) => {
  const { logger, lines } = recordingLogger();
  const collector = createCollector({ namespace: 'wippy', clock: systemClock(), logger });
  const component = processMetrics({ collector, clock: systemClock(), logger, sampleMs: 20 });
  await component.start?.();
  t.teardown(() => component.stop?.());
  const above = (name: string, least: number) => poll(name, () => (valueAt(collector, name) ?? -1) > least);
  await above('process_cpu_seconds_total', 0);
  await above('process_resident_memory_bytes', 1e6);
  await above('nodejs_heap_size_used_bytes', 1e6);
  await above('nodejs_heap_size_total_bytes', valueAt(collector, 'nodejs_heap_size_used_bytes') ?? 0);
  await above('nodejs_active_handles_total', -1);
  await above('nodejs_active_requests_total', -1);
  await above('nodejs_active_resources_total', 0);
  if (process.platform === 'linux') await above('process_open_fds', 2);
  const started = valueAt(collector, 'process_start_time_seconds') ?? 0;
  t.ok(Math.abs(Date.now() / 1000 - process.uptime() - started) < 5);
  t.equal(familyOf(collector, 'nodejs_version_info')?.series[0]?.labelValues.at(-1), process.version);
  t.ok(familyOf(collector, 'nodejs_heap_space_size_used_bytes')?.series.some((one) => one.labelValues[0] === 'old'));
  t.ok(familyOf(collector, 'nodejs_active_resources')?.series.length);
  t.strictSame(lines, [], 'and nothing is logged');
});

test('a blocked event loop and garbage collections show', async (t) => {
  const { logger } = recordingLogger();
  const collector = createCollector({ namespace: 'wippy', clock: systemClock(), logger });
  const component = processMetrics({ collector, clock: systemClock(), logger, sampleMs: 20 });
  await component.start?.();
  t.teardown(() => component.stop?.());
  const max = () => valueAt(collector, 'nodejs_eventloop_lag_max_seconds') ?? -1;
  t.equal(max(), 0, '0 until the first sample');
  await poll('a lag of 100 ms', () => {
    const end = performance.now() + 150;
    const garbage: unknown[] = [];
    while (performance.now() < end) garbage.push(new Array(1000).fill(garbage.length));
    return max() > 0.1;
  });
  await poll('a collection', () => (familyOf(collector, 'nodejs_gc_duration_seconds')?.series[0]?.count ?? 0) > 0);
  t.ok((valueAt(collector, 'nodejs_eventloop_utilization') ?? 0) > 0);
});

test('rule 131: a scrape reads memory only: between two samples nothing moves', async (t) => {
  const { collector, clock, logger } = testCollector();
  const component = processMetrics({ collector, clock, logger });
  await component.start?.();
  t.teardown(() => component.stop?.());
  const read = () => valueAt(collector, 'process_cpu_seconds_total') ?? 0;
  const first = read();
  const end = performance.now() + 30;
  while (performance.now() < end);
  t.equal(read(), first, 'CPU time went by, but no sample was taken');
  clock.advance(5000);
  t.ok(read() > first);
});

test('rules 110 and 111: start and stop ten times; stopped, its series are gone', async (t) => {
  const { collector, clock, logger } = testCollector();
  const component = processMetrics({ collector, clock, logger });
  await component.stop?.();
  for (let i = 0; i < 10; i += 1) {
    await component.start?.();
    t.ok(familyOf(collector, 'process_cpu_seconds_total'));
    await component.stop?.();
  }
  t.equal(familyOf(collector, 'process_cpu_seconds_total'), undefined);
});

test('rule 29: gauges do not end in _total, counters do exactly once, but for the listed exceptions', async (t) => {
  const { collector, clock, logger } = testCollector();
  const component = processMetrics({ collector, clock, logger });
  await component.start?.();
  t.teardown(() => component.stop?.());
  for (const { name, kind } of collector.snapshot().families) {
    if (/^nodejs_active_.*_total$/.test(name)) continue;
    t.equal(/_total$/.test(name), kind === 'counter', name);
    t.notMatch(name, /_total_total$/);
  }
  const text = await openMetricsFormatter()(collector);
  t.match(text, /# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds\n/);
});

test('build info is one gauge of 1 with a command of the closed set', async (t) => {
  const { collector } = testCollector();
  const build = { version: '0.1.0', revision: 'abc', otelSdkVersion: '2.12.0', luaEngine: 'fengari 0.1.5 (5.3)' };
  registerBuildInfo(collector, { ...build, command: 'run' });
  const labels = {
    version: '0.1.0',
    revision: 'abc',
    node_version: process.version,
    otel_sdk_version: '2.12.0',
    lua_engine: 'fengari 0.1.5 (5.3)',
  };
  t.equal(valueAt(collector, 'wippy_build_info', { ...labels, command: 'run' }), 1);
  registerBuildInfo(collector, { ...build, command: 'validate' });
  t.equal(valueAt(collector, 'wippy_build_info', { ...labels, command: 'other' }), 1);
});

import tap, { test } from 'tap';
import type { OtlpCollector } from '../../harness/otlp-collector.ts';
import { type Exposition, select, seriesKey } from '../../harness/prometheus-text.ts';
import { isIdle, type Lab, type LabOptions, startCollector, startLab, sum } from './lab.ts';

interface Run {
  readonly lab: Lab;
  readonly collector: OtlpCollector;
  /** Before the stop. */
  readonly metrics: Exposition;
}

/** The same requests each time, with every surface in them. */
const runOnce = async (options: (collector: OtlpCollector) => LabOptions): Promise<Run> => {
  const collector = await startCollector(tap);
  const { set, env } = options(collector);
  const lab = await startLab(tap, {
    set: { 'otel.enabled': true, 'otel.batch.schedule_delay': '50ms', 'otel.metrics_enabled': true, ...set },
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
  });
  for (const path of ['/hello', '/hello', '/fail', '/spin', '/nothing', '/out/hello']) await lab.send(path);
  const body = JSON.stringify({ key: 'k', value: 'v', token: 't' });
  for (let i = 0; i < 3; i++) await lab.send('/chain/1', { method: 'POST', body });
  await lab.send('/jobs', { method: 'POST', body: '{"outcome":"again"}' });
  const metrics = await lab.until(
    'every message is settled',
    (now) => isIdle(now) && sum(now, 'wippy_queue_messages_total', { result: 'ack' }) === 4,
  );
  await lab.stop();
  return { lab, collector, metrics };
};

/** Every count of the app's own work; sums of seconds and the pipeline's own numbers left out. */
const counts = ({ metrics, lab }: Run): Record<string, number> =>
  Object.fromEntries(
    metrics.samples
      .filter(({ name }) => /^wippy_(http|function|queue|kv)_\w*(_total|_calls|_count|_in_flight|_depth)$/.test(name))
      // `host` names the port, which is free and not fixed.
      .map(({ name, labels, value }) => [
        seriesKey(name, labels).replace(new URL(lab.url('LAB_PORT')).host, 'lab'),
        value,
      ])
      .sort(),
  );
const spanNames = ({ collector }: Run): readonly string[] =>
  collector
    .spans()
    .map((span) => `${span.kind} ${span.name}`)
    .sort();

const runs = await Promise.all([
  runOnce(() => ({})),
  runOnce(() => ({ set: { 'otel.sample_rate': 0 } })),
  runOnce(() => ({ env: { LOG_LEVEL: 'error' }, set: { 'otel.metrics_enabled': false } })),
  runOnce((collector) => ({
    set: { 'otel.traces_enabled': false },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
    },
  })),
]);
const [plain, unsampled, quiet, metricsOnly] = runs as [Run, Run, Run, Run];

test('rule 80: counts are equal at ratio 0 and 1', async (t) => {
  t.same(counts(unsampled), counts(plain));
  t.ok(Object.keys(counts(plain)).length > 20, 'and there is something to compare');
  t.same(unsampled.collector.spans(), [], 'the ratio was at work');
  t.ok(plain.collector.spans().length > 40);
});

test('rule 81: the log level does not change which spans exist', async (t) => {
  t.same(spanNames(quiet), spanNames(plain));
  t.ok(quiet.lab.lines().every((line) => line.level === 'error'));
  t.ok(
    plain.lab.lines().some((line) => line.level === 'info'),
    'and the level was at work',
  );
});

test('rule 82: traces and metrics are switched, and sent, independently', async (t) => {
  const paths = ({ collector }: Run): readonly string[] =>
    [...new Set(collector.requests.map(({ path }) => path))].sort();
  t.same(paths(plain), ['/v1/metrics', '/v1/traces']);
  t.same(paths(quiet), ['/v1/traces']);
  t.same(paths(metricsOnly), ['/v1/metrics'], 'by its own variable; the endpoint of both would have been refused');
  t.equal(sum(metricsOnly.metrics, 'wippy_http_requests_total'), sum(plain.metrics, 'wippy_http_requests_total'));
  t.same(
    select(metricsOnly.metrics, 'wippy_exporter_failure_rate').map((one) => one.labels.exporter),
    ['otlp_metrics'],
  );
  t.same(
    select(quiet.metrics, 'wippy_exporter_failure_rate').map((one) => one.labels.exporter),
    ['otlp_traces'],
  );
  for (const { metrics } of runs) t.ok(isIdle(metrics));
});

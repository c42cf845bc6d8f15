import { test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import { select } from '../../harness/prometheus-text.ts';
import { pushedSeries, textSeries } from './both-sinks.ts';
import { type Line, startCollector, sum, tracesTo } from './lab.ts';

const RUNS = 'wippy_schedule_runs_total';

test('rules 5, 14: the runs of schedules, in both sinks, as spans and as lines', async (t) => {
  const collector = await startCollector(t);
  const program = await startProgram(t, 'test/boot/apps/schedule', {
    set: { ...tracesTo(collector), 'otel.metrics_enabled': true, 'otel.metric_export_interval': '10m' },
  });
  await poll('every outcome, twice', async () => {
    const metrics = await program.scrape();
    const skipped = sum(metrics, RUNS, { schedule: 'night:long.timer', result: 'skipped' });
    const failed = sum(metrics, RUNS, { schedule: 'night:broken.timer', result: 'error' });
    return skipped >= 2 && failed >= 2 && sum(metrics, RUNS, { schedule: 'night:sweep.timer', result: 'success' }) >= 2;
  });
  program.signal('SIGTERM');
  await poll('no more ticks', async () => (await fetch(`${program.operations}/readyz`)).status === 503);
  const scraped = await program.scrape(); // while the long run holds the drain, until it is cancelled
  t.equal(sum(scraped, 'wippy_function_in_flight', { function_id: 'night:long' }), 1);
  t.equal((await program.exited).code, 0);

  const ofRuns = (all: ReadonlyMap<string, number>) =>
    Object.fromEntries([...all].filter(([key]) => key.startsWith(RUNS) && !key.includes('long.timer')).sort());
  t.same(ofRuns(pushedSeries(collector)), ofRuns(textSeries(scraped)), 'both sinks say the same');
  t.equal(scraped.families.get(RUNS)?.type, 'counter');
  t.same(select(scraped, RUNS, { schedule: 'night:off.timer' }), [], 'what is not started has no series');

  const lines = program.stderr.map((line) => JSON.parse(line) as Line).filter((one) => one.subsystem === 'schedule');
  for (const [name, result, level] of [
    ['sweep', 'success', 'info'],
    ['broken', 'error', 'error'],
    ['long', 'error', 'error'],
  ] as const) {
    const schedule = `night:${name}.timer`;
    const count = collector.point(RUNS, { schedule, result }).value;
    const spans = collector.spans({ name: schedule });
    t.equal(spans.length, count, `${schedule}: a span for each run`);
    const own = lines.filter((line) => line.schedule === schedule);
    t.equal(own.length, count, 'and a line');
    for (const span of spans) {
      t.match(span, { kind: 'internal', parentSpanId: '', status: result === 'error' ? 'error' : 'unset' });
      t.equal(span.attributes['faas.trigger'], 'timer');
      t.equal(span.attributes['faas.cron'], name === 'sweep' ? '* * * * * *' : undefined);
      const [called, ...more] = collector.spans({ name: `night:${name}`, traceId: span.traceId });
      t.same([called?.parentSpanId, called?.kind, more.length], [span.spanId, 'internal', 0]);
      const line = own.find((one) => one.span_id === span.spanId);
      t.match(line, { level, trace_id: span.traceId, function_id: `night:${name}`, result });
    }
  }
  t.match(lines.find(({ level }) => level === 'error')?.error, /broken on purpose/);
  t.match(program.stderr.join('\n'), /"room":"attic".*"msg":"swept"/);
  t.match(lines.at(-1), { schedule: 'night:long.timer', error: 'schedule stopped: night:long.timer' });
});

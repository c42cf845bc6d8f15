// What we write, read by two parsers that are not ours: promtool, and Python's official client.
import { test } from 'tap';
import type { Collector } from '../../../runtime/metrics/collector.ts';
import type { ForeignFamily } from '../../../services/prometheus/port.ts';
import { prometheusRenderer } from '../../../services/prometheus/renderer.ts';
import { runChild } from '../../harness/child.ts';
import { checkMetrics, PROMETHEUS_MISSING } from '../../harness/prometheus.ts';
import { pythonParser } from '../../harness/python-parser.ts';
import { testCollector } from '../../runtime/metrics/fixture.ts';

const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const HOSTILE = 'a"} 1\n# TYPE x counter\nx{b="\\n\\\\ü✓';

/** One of everything: kinds, units, exemplars, hostile texts, extreme numbers, third parties with names in UTF-8. */
const fill = (collector: Collector): void => {
  const spec = { help: 'Help with "quotes", \\ and\na line.', labels: ['v'] };
  const counter = collector.counter({ ...spec, name: 'busy_seconds_total', unit: 's' });
  counter.bind({ v: HOSTILE }).add(2.5, ids);
  counter.bind({ v: 'b' }).add(1e21);
  collector
    .counter({ ...spec, name: 'function_calls', unit: '{call}' })
    .bind({ v: 'a' })
    .add(1, ids);
  collector
    .upDownCounter({ ...spec, name: 'open', unit: '1' })
    .bind({ v: 'a' })
    .add(-3);
  collector
    .gauge({ ...spec, name: 'rss_bytes', unit: 'By' })
    .bind({ v: 'a' })
    .set(1e-7);
  const took = collector.histogram({ ...spec, name: 'took_seconds', unit: 's', boundaries: [0.5, 1] }).bind({ v: 'a' });
  for (const value of [0.1, 0.7, 1, 9]) took.observe(value, ids);
};
const series = { startTime: 1_600_000_000_000, version: 1, bucketCounts: [], count: 0, exemplars: [] };
const FOREIGN: readonly ForeignFamily[] = [
  {
    family: { name: 'target_info', kind: 'info', help: 'Target metadata', unit: '', boundaries: [] },
    series: [{ ...series, labelNames: ['service.name'], labelValues: ['lab'], value: 1 }],
  },
  {
    family: { name: 'jobs.done_total', kind: 'counter', help: 'Jobs', unit: '', boundaries: [] },
    series: [{ ...series, labelNames: ['job.kind', 'q'], labelValues: [HOSTILE, 'x'], value: 5 }],
  },
  {
    family: { name: 'job.size_bytes', kind: 'histogram', help: 'Sizes', unit: 'bytes', boundaries: [1, 2.5] },
    series: [{ ...series, labelNames: [], labelValues: [], value: 7, bucketCounts: [1, 0, 2], count: 3 }],
  },
];

const scraper = () => {
  const { collector, clock, logger } = testCollector();
  fill(collector);
  const renderer = prometheusRenderer({ collector, clock, logger, foreign: async () => FOREIGN });
  return async (accept: string): Promise<string> => (await renderer.render({ accept })).body.toString();
};

test('promtool reads text 0.0.4 and has nothing to say but what follows from public names', async (t) => {
  if ((await runChild(t, 'promtool', ['--version'])).code !== 0) {
    t.comment(PROMETHEUS_MISSING);
    return;
  }
  const text = await scraper()('text/plain;version=0.0.4');
  t.strictSame(await checkMetrics(t, text), ['wippy_function_calls counter metrics should have "_total" suffix']);
  t.match((await checkMetrics(t, text.replace('} 2.5', '} 2.5.')))[0], /error/, 'and it would say so');
});

test('Python reads every format and escaping, and finds the same numbers', async (t) => {
  const parse = await pythonParser(t);
  if (typeof parse === 'string') {
    t.comment(parse);
    return;
  }
  const scrape = scraper();
  const OPEN = 'application/openmetrics-text;version=1.0.0;escaping=';
  const named: readonly (readonly [accept: string, format: 'openmetrics' | 'text', jobs: string, label: string])[] = [
    [`${OPEN}allow-utf-8`, 'openmetrics', 'jobs.done_total', 'job.kind'],
    [`${OPEN}underscores`, 'openmetrics', 'jobs_done_total', 'job_kind'],
    [`${OPEN}dots`, 'openmetrics', 'jobs_dot_done__total', 'job_dot_kind'],
    [`${OPEN}values`, 'openmetrics', 'U__jobs_2E_done__total', 'U__job_2E_kind'],
    ['application/openmetrics-text;version=0.0.1', 'openmetrics', 'jobs_done_total', 'job_kind'],
    ['text/plain;version=1.0.0;escaping=allow-utf-8', 'text', 'jobs.done_total', 'job.kind'],
    ['text/plain;version=0.0.4', 'text', 'jobs_done_total', 'job_kind'],
  ];
  for (const [accept, format, jobs, label] of named) {
    const families = await parse(await scrape(accept), format);
    const samples = families.flatMap((family) => family.samples);
    const done = samples.find(({ name }) => name === jobs);
    t.match(done, { value: 5, labels: { [label]: HOSTILE, q: 'x' } }, accept);
    if (accept.endsWith('dots')) continue; // escapes the underscores of ours as well
    const busy = samples.filter(({ name }) => name === 'wippy_busy_seconds_total');
    t.strictSame(
      busy.map(({ value, labels }) => [value, labels.v]),
      [
        [2.5, HOSTILE],
        [1e21, 'b'],
      ],
    );
    t.equal(samples.find(({ name, labels }) => name === 'wippy_took_seconds_bucket' && labels.le === '+Inf')?.value, 4);
    t.equal(samples.find(({ name }) => name === 'wippy_open')?.value, -3);
    if (format === 'text') continue;
    const trace = { trace_id: ids.traceId, span_id: ids.spanId };
    t.strictSame(busy[0]?.exemplar, { labels: trace, value: 2.5 });
    t.match(
      families.find(({ name }) => name === 'wippy_busy_seconds'),
      { type: 'counter', unit: 'seconds', help: 'Help with "quotes", \\ and\na line.' },
    );
    t.match(
      families.find(({ name }) => name === 'wippy_function_calls'),
      { type: 'unknown' },
    );
    t.match(
      families.find(({ name }) => name === 'target'),
      { type: 'info' },
    );
    t.equal(samples.find(({ name }) => name === 'wippy_took_seconds_created')?.value, 1_700_000_000);
  }
  const open = await scrape(OPEN);
  await t.rejects(parse(open.replace('# EOF\n', ''), 'openmetrics'), /EOF/, 'and it would say so');
});

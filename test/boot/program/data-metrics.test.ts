import { isDeepStrictEqual } from 'node:util';
import { t as root, test } from 'tap';
import { type Servers, startServers } from '../../e2e/backends.ts';
import { CannotRun } from '../../e2e/checks.ts';
import { CHANGES_PER_ROUND, DATA_SECRET, DATA_STEPS, DATABASES, DRIVERS, STORES } from '../../e2e/data-steps.ts';
import { expectedSeries } from '../../e2e/expected-series.ts';
import { deliveriesOf, STEPS, send } from '../../e2e/scenario.ts';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import { type Exposition, select, total } from '../../harness/prometheus-text.ts';
import { pushedSeries, textSeries } from './both-sinks.ts';
import { DOCUMENTED, DOCUMENTED_OF_CDC } from './documented-metrics.ts';
import { startCollector, tracesTo } from './lab.ts';

// One run of the real program on every backend: a round of what the end-to-end scripts send.

const FAMILIES = /^wippy_(kv|sql|queue|cdc)_/;
/** What counts: gauges are read anew for each sink. */
const counted = (series: ReadonlyMap<string, number>) =>
  Object.fromEntries(
    [...series]
      .filter(([key]) => FAMILIES.test(key) && /^wippy_\w+(_total|_count|_sum|_bucket)\{/.test(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const servers: Servers | string = await startServers(root).catch((error: unknown) => {
  if (error instanceof CannotRun) return error.message;
  throw error;
});
const skip = typeof servers === 'string' && servers;
const observed = async () => {
  if (typeof servers === 'string') throw new Error(servers);
  const backends = await servers.backends();
  const collector = await startCollector(root);
  const program = await startProgram(root, 'test/e2e/app', {
    ports: ['E2E_PORT'],
    set: { ...tracesTo(collector), 'otel.metrics_enabled': true, 'otel.metric_export_interval': '250ms' },
    env: backends.env,
  });
  await poll('change capture reads', () => program.output().includes('change capture reads'));
  const steps = [...STEPS, ...DATA_STEPS];
  for (const step of steps) await send(program.url('E2E_PORT'), step);
  const scraped = await poll('all is handled', async () => {
    const metrics = await program.scrape();
    const isHandled =
      total(metrics, 'wippy_queue_messages_total') === deliveriesOf(steps) &&
      total(metrics, 'wippy_cdc_process_duration_seconds_count') === 1 + CHANGES_PER_ROUND &&
      // Redis is asked every half second how much waits there.
      total(metrics, 'wippy_queue_depth') === DRIVERS.length &&
      total(metrics, 'wippy_queue_depth', { queue: 'e2e:backlog.redis' }) === 1 &&
      total(metrics, 'wippy_queue_oldest_age_seconds', { queue: 'e2e:jobs.redis' }) === 0 &&
      total(metrics, 'wippy_sql_pool_connections', { state: 'used' }) === 0;
    return isHandled && metrics;
  });
  const shown = counted(textSeries(scraped));
  await poll('a window of that is pushed', () => isDeepStrictEqual(counted(pushedSeries(collector)), shown)).catch(
    () => {}, // the test says what differs
  );
  const text = await (await fetch(`${program.operations}/metrics`)).text();
  const withExemplars = await program.scrape('application/openmetrics-text;version=1.0.0');
  const { code } = await program.stop();
  return { slot: backends.slot, collector, program, scraped, withExemplars, text, code };
};
type Observed = Awaited<ReturnType<typeof observed>>;
const run: Observed | undefined = skip === false ? await observed() : undefined;
const given = (): Observed => {
  if (run === undefined) throw new Error('nothing was observed');
  return run;
};

test('rule 14: every documented metric of stores, databases, queues and change capture comes out of the real program', {
  skip,
}, async (t) => {
  const { scraped, collector, code } = given();
  t.equal(code, 0);
  const documented = Object.entries({ ...DOCUMENTED, ...DOCUMENTED_OF_CDC }).filter(([name]) => FAMILIES.test(name));
  t.equal(documented.length, 20);
  for (const [name, type] of documented) {
    t.equal(scraped.families.get(name)?.type, type, name);
    t.ok(select(scraped, type === 'histogram' ? `${name}_count` : name).length > 0, `${name} has a series`);
    t.ok(collector.points(name).length > 0, `${name} is pushed`);
  }
  const known = new Set(documented.map(([name]) => name));
  t.same(
    [...scraped.families.keys()].filter((name) => FAMILIES.test(name) && !known.has(name)),
    [],
    'and nothing that is not documented',
  );
});

/** The label values of a metric, by one of its labels. */
const valuesOf = (scraped: Exposition, name: string, label: string): string[] =>
  [...new Set(select(scraped, name).map(({ labels }) => labels[label] ?? ''))].sort();

test('rule 15: every backend has them: stores, databases and drivers', { skip }, async (t) => {
  const { scraped } = given();
  for (const name of ['wippy_kv_ops_total', 'wippy_kv_op_duration_seconds_count']) {
    t.same(valuesOf(scraped, name, 'namespace'), ['e2e:kv', ...STORES.map((one) => `e2e:kv.${one}`)].sort(), name);
  }
  for (const name of ['ops_total', 'op_duration_seconds_count', 'pool_connections', 'pool_wait_seconds_count']) {
    t.same(valuesOf(scraped, `wippy_sql_${name}`, 'db'), DATABASES.map((one) => `e2e:db.${one}`).sort(), name);
  }
  const ofQueues = ['messages_total', 'process_duration_seconds_count', 'in_flight', 'published_total', 'depth'];
  for (const name of [...ofQueues, 'oldest_age_seconds', 'redelivered_total', 'wait_seconds_count']) {
    const queues = valuesOf(scraped, `wippy_queue_${name}`, 'queue');
    for (const driver of DRIVERS) t.ok(queues.includes(`e2e:jobs.${driver}`), `${name} of ${driver}`);
  }
  for (const driver of DRIVERS) {
    t.ok(valuesOf(scraped, 'wippy_queue_capacity', 'queue').includes(`e2e:backlog.${driver}`), `capacity of ${driver}`);
  }
});

test('rules 5, 65, 74, 75: exact values, the same in both sinks', { skip }, async (t) => {
  const { scraped, collector, slot } = given();
  const text = textSeries(scraped);
  const expected = expectedSeries({ rounds: 1, slot, held: 0, cuts: 0 });
  t.ok(expected.size > 150, `${expected.size} series`);
  for (const [key, value] of expected) t.equal(text.get(key), value, key);
  t.same(counted(pushedSeries(collector)), counted(text));
});

test('what is counted within a call has an exemplar of its trace', { skip }, async (t) => {
  const { withExemplars, collector } = given();
  const traces = new Set(collector.spans().map(({ traceId }) => traceId));
  const counters = [
    'wippy_kv_ops_total',
    'wippy_sql_ops_total',
    'wippy_queue_messages_total',
    'wippy_queue_published_total',
  ];
  const histograms = ['kv_op_duration', 'sql_op_duration', 'queue_process_duration'];
  for (const name of [...counters, ...histograms.map((one) => `wippy_${one}_seconds_bucket`)]) {
    const found = select(withExemplars, name).flatMap(({ exemplar }) => (exemplar === undefined ? [] : [exemplar]));
    t.ok(found.length > 0, `${name} has exemplars`);
    t.ok(
      found.every(({ labels }) => traces.has(labels.trace_id ?? '')),
      `${name}: of traces that were exported`,
    );
  }
});

test('rules 74, 75, 84: no key, value, row, parameter or statement is in any signal, and no operation has a span', {
  skip,
}, async (t) => {
  const { text, collector, program } = given();
  const spans = collector.spans();
  t.same(
    spans.filter(({ attributes }) => 'db.system.name' in attributes).map(({ name }) => name),
    [],
    'no spans unless they are switched on',
  );
  const points = collector.metricNames().flatMap((name) => collector.points(name));
  const signals = {
    traces: JSON.stringify(spans),
    metrics: JSON.stringify(points),
    logs: program.output(),
    scrape: text,
  };
  for (const [where, all] of Object.entries(signals)) {
    t.match(all, /e2e:jobs\.redis/, `${where} were searched`);
    t.notMatch(all, DATA_SECRET, where);
  }
});

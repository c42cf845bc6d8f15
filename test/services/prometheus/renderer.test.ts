import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { ScrapeTimeout } from '../../../services/operations/port.ts';
import type { ForeignFamily } from '../../../services/prometheus/port.ts';
import { prometheusRenderer } from '../../../services/prometheus/renderer.ts';
import { parsePrometheusText, select, total } from '../../harness/prometheus-text.ts';
import { testCollector, valueAt } from '../../runtime/metrics/fixture.ts';

const OPEN = 'application/openmetrics-text';

const gauge = (name: string, value: number): ForeignFamily => ({
  family: { name, kind: 'gauge', help: 'h', unit: '', boundaries: [] },
  series: [
    { labelNames: [], labelValues: [], startTime: 0, version: 1, value, bucketCounts: [], count: 0, exemplars: [] },
  ],
});

test('plain and gzip hold the same bytes, OpenMetrics ends with # EOF', async (t) => {
  const { collector, clock, logger } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  const renderer = prometheusRenderer({ collector, clock, logger });
  const plain = await renderer.render({});
  const zipped = await renderer.render({ acceptEncoding: 'gzip' });
  t.equal(plain.contentEncoding, undefined);
  t.equal(zipped.contentEncoding, 'gzip');
  t.equal(gunzipSync(zipped.body).toString(), plain.body.toString());
  t.notOk(parsePrometheusText(plain.body.toString()).hasEof);
  const open = await renderer.render({ accept: OPEN });
  t.match(open.contentType, OPEN);
  t.ok(parsePrometheusText(open.body.toString()).hasEof);
});

test('families of third parties come after ours, in every format', async (t) => {
  const { collector, clock, logger } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  const foreign = async () => [gauge('theirs', 5)];
  const renderer = prometheusRenderer({ collector, clock, logger, foreign });
  for (const accept of ['text/plain', 'text/plain;version=1.0.0', OPEN]) {
    const text = (await renderer.render({ accept })).body.toString();
    t.equal(total(parsePrometheusText(text), 'theirs'), 5);
    t.ok(text.indexOf('c_total') < text.indexOf('theirs'));
  }
});

test('the target comes first: OpenMetrics wants it there', async (t) => {
  const { collector, clock, logger } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  const { family, series } = gauge('target_info', 1);
  const foreign = async (): Promise<ForeignFamily[]> => [
    gauge('theirs', 5),
    { family: { ...family, kind: 'info' }, series },
  ];
  const renderer = prometheusRenderer({ collector, clock, logger, foreign });
  for (const accept of ['text/plain', OPEN]) {
    const text = (await renderer.render({ accept })).body.toString();
    const names = text.match(/^[a-z]+_?[a-z]* /gm)?.map((name) => name.trim());
    t.strictSame(
      names?.filter((name) => name !== 'c_created'),
      ['target_info', 'c_total', 'theirs'],
      accept,
    );
  }
});

test('rule 92: third parties that fail or hang leave our metrics; counted each time, told once per episode', async (t) => {
  const { collector, clock, logger, lines } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  let answer: () => Promise<readonly ForeignFamily[]> = () => Promise.reject(new Error('collect failed'));
  const renderer = prometheusRenderer({ collector, clock, logger, foreign: () => answer() });
  const scrape = async () => parsePrometheusText((await renderer.render({})).body.toString());
  t.equal(total(await scrape(), 'c_total'), 1);
  answer = () => new Promise(() => {});
  const hanging = scrape();
  clock.advance(2000);
  t.equal(total(await hanging, 'c_total'), 1);
  t.equal(valueAt(collector, 'wippy_telemetry_callback_errors_total', { metric: 'third_party' }), 2);
  t.equal(lines.length, 1);
  answer = async () => [];
  await scrape();
  answer = () => {
    throw new Error('synchronously');
  };
  t.equal(total(await scrape(), 'c_total'), 1);
  t.equal(lines.length, 2, 'told again after it went well');
});

test('third parties are waited for half of what the most hurried scraper waits, and not longer', async (t) => {
  const { collector, clock, logger } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  const renderer = prometheusRenderer({ collector, clock, logger, foreign: () => new Promise(() => {}) });
  let isDone = false;
  const both = Promise.all([renderer.render({}), renderer.render({ timeoutMs: 1000 })]).then((answers) => {
    isDone = true;
    return answers;
  });
  clock.advance(499);
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isDone);
  clock.advance(1);
  const [one, two] = await both;
  t.match(one.body.toString(), /c_total 1/);
  t.equal(one.body, two.body);
});

test('a scrape that cannot be rendered in time is refused; one that has the time gets it', async (t) => {
  const { collector, clock, logger } = testCollector();
  for (let i = 0; i < 200; i += 1) collector.dynamic.counterAdd('c_total', 1, { i: String(i) });
  // The clock of the renderer jumps at each look: every slice is over at once.
  const rushing = { ...clock, now: () => clock.now() + performance.now() * 1e6 };
  const renderer = prometheusRenderer({ collector, clock: rushing, logger });
  const late = renderer.render({ timeoutMs: 50 });
  const patient = renderer.render({ timeoutMs: 60_000 });
  await Promise.resolve();
  clock.advance(50);
  await t.rejects(late, { constructor: ScrapeTimeout, message: /50 ms/ });
  t.match((await patient).body.toString(), /c_total\{i="199"\} 1/);
});

test('rendering of many series gives way, and still shows one moment', async (t) => {
  const { collector, clock, logger } = testCollector(20_000);
  const series = Array.from({ length: 5000 }, (_, i) =>
    collector.counter({ name: 'c_total', help: 'h', unit: '1', labels: ['i'] }).bind({ i: String(i) }),
  );
  for (const one of series) one.add(1);
  const rushing = { ...clock, now: () => performance.now() * 1e6 };
  const renderer = prometheusRenderer({ collector, clock: rushing, logger });
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    for (const one of series) one.add(1);
    if (!isDone) setImmediate(count);
  };
  const rendering = renderer.render({});
  setImmediate(count);
  const parsed = parsePrometheusText((await rendering).body.toString());
  isDone = true;
  await new Promise((resolve) => setImmediate(resolve)); // the last turn
  t.ok(turns > 20, `others had ${turns} turns`);
  t.strictSame(new Set(select(parsed, 'wippy_c_total').map(({ value }) => value)), new Set([1]));
  t.equal(total(parsePrometheusText((await renderer.render({})).body.toString()), 'wippy_c_total'), 5000 * (turns + 1));
});

test('concurrent scrapes share one rendering; the next one sees what came after', async (t) => {
  const { collector, clock, logger } = testCollector();
  let asked = 0;
  const gate = Promise.withResolvers<readonly ForeignFamily[]>();
  const foreign = () => {
    asked += 1;
    return gate.promise;
  };
  const renderer = prometheusRenderer({ collector, clock, logger, foreign });
  const both = [renderer.render({}), renderer.render({}), renderer.render({ acceptEncoding: 'gzip' })];
  gate.resolve([]);
  const [one, two] = await Promise.all(both);
  t.equal(one?.body, two?.body);
  t.equal(asked, 1);
  collector.dynamic.counterAdd('late_total', 1, {});
  t.match((await renderer.render({})).body.toString(), /late_total 1/);
});

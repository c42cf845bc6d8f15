import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { prometheusRenderer } from '../../../services/prometheus/renderer.ts';
import { parsePrometheusText, total } from '../../harness/prometheus-text.ts';
import { testCollector, valueAt } from '../../runtime/metrics/fixture.ts';

const OPEN = 'application/openmetrics-text';

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

test('text of third parties comes after ours, in text 0.0.4 only', async (t) => {
  const { collector, clock, logger } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  const appendText = async () => '# TYPE theirs_total counter\ntheirs_total 5';
  const renderer = prometheusRenderer({ collector, clock, logger, appendText });
  const text = (await renderer.render({})).body.toString();
  t.equal(total(parsePrometheusText(text), 'theirs_total'), 5);
  t.ok(text.indexOf('c_total') < text.indexOf('theirs_total'));
  t.notMatch((await renderer.render({ accept: OPEN })).body.toString(), /theirs/);
});

test('rule 92: third parties that fail or hang leave our metrics; counted each time, told once per episode', async (t) => {
  const { collector, clock, logger, lines } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  let answer: () => Promise<string> = () => Promise.reject(new Error('collect failed'));
  const renderer = prometheusRenderer({ collector, clock, logger, appendText: () => answer() });
  const scrape = async () => parsePrometheusText((await renderer.render({})).body.toString());
  t.equal(total(await scrape(), 'c_total'), 1);
  answer = () => new Promise(() => {});
  const hanging = scrape();
  clock.advance(2000);
  t.equal(total(await hanging, 'c_total'), 1);
  t.equal(valueAt(collector, 'wippy_telemetry_callback_errors_total', { metric: 'third_party' }), 2);
  t.equal(lines.length, 1);
  answer = async () => '';
  await scrape();
  answer = () => {
    throw new Error('synchronously');
  };
  t.equal(total(await scrape(), 'c_total'), 1);
  t.equal(lines.length, 2, 'told again after it went well');
});

test('concurrent scrapes share one rendering; the next one sees what came after', async (t) => {
  const { collector, clock, logger } = testCollector();
  let asked = 0;
  const gate = Promise.withResolvers<string>();
  const appendText = () => {
    asked += 1;
    return gate.promise;
  };
  const renderer = prometheusRenderer({ collector, clock, logger, appendText });
  const both = [renderer.render({}), renderer.render({})];
  gate.resolve('');
  const [one, two] = await Promise.all(both);
  t.equal(one, two);
  t.equal(asked, 1);
  collector.dynamic.counterAdd('late_total', 1, {});
  t.match((await renderer.render({})).body.toString(), /late_total 1/);
});

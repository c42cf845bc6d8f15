import { test } from 'tap';
import { parsePrometheusText, select, seriesKey, total } from './prometheus-text.ts';

const TEXT = `# HELP http_requests_total Requests, by \\\\ and\\nline.
# TYPE http_requests_total counter
http_requests_total{method="GET",path="a\\"b\\\\c\\nd"} 3
http_requests_total{method="PUT",path=""} 1e3 1700000000000
# a comment
# TYPE lag gauge
lag -0.5
lag_max{a="x",} +Inf
nothing NaN
`;

test('text 0.0.4: names, labels, escapes, values and timestamps', async (t) => {
  const parsed = parsePrometheusText(TEXT);
  t.equal(parsed.samples.length, 5);
  t.same(parsed.samples[0]?.labels, { method: 'GET', path: 'a"b\\c\nd' });
  t.equal(parsed.samples[1]?.value, 1000);
  t.equal(total(parsed, 'lag'), -0.5);
  t.equal(total(parsed, 'lag_max'), Number.POSITIVE_INFINITY);
  t.ok(Number.isNaN(total(parsed, 'nothing')));
  t.same(parsed.families.get('http_requests_total'), {
    name: 'http_requests_total',
    type: 'counter',
    help: 'Requests, by \\ and\nline.',
  });
  t.equal(parsed.hasEof, false);
});

test('OpenMetrics: units, exemplars and the end', async (t) => {
  const parsed = parsePrometheusText(
    '# TYPE d_seconds histogram\n# UNIT d_seconds seconds\nd_seconds_bucket{le="0.1"} 4 # {trace_id="ab",span_id="cd"} 0.05 1.5\n# EOF\n',
  );
  t.same(parsed.samples[0]?.exemplar, { labels: { trace_id: 'ab', span_id: 'cd' }, value: 0.05, timestamp: 1.5 });
  t.equal(parsed.families.get('d_seconds')?.unit, 'seconds');
  t.equal(parsed.hasEof, true);
});

test('what a scraper refuses is an error that quotes the line', async (t) => {
  for (const [text, why] of [
    ['a 1', /line feed/],
    ['a one\n', /no number: a one/],
    ['a{b=1} 1\n', /bad label/],
    ['a{b="1"c="2"} 1\n', /bad label list/],
    ['a{b="1",b="2"} 1\n', /'b' twice/],
    ['9a 1\n', /bad metric name/],
    ['a 1\na 2\n', /a series twice/],
    ['a{x="1",y="2"} 1\na{y="2",x="1"} 2\n', /a series twice/],
    ['# TYPE a counter\n# TYPE a gauge\n', /a second TYPE of 'a'/],
    ['a 1 2 3\n', /after the timestamp/],
    ['# EOF\na 1\n', /after # EOF/],
  ] as const) {
    t.throws(() => parsePrometheusText(text), { message: why }, text);
  }
});

test('select takes series with more labels than asked for; total tells none from 0', async (t) => {
  const parsed = parsePrometheusText('a{x="1",y="1"} 1\na{x="1",y="2"} 2\na{x="2",y="1"} 4\nz 0\n');
  t.equal(select(parsed, 'a', { x: '1' }).length, 2);
  t.equal(total(parsed, 'a', { x: '1' }), 3);
  t.equal(total(parsed, 'z'), 0);
  t.equal(total(parsed, 'a', { x: '3' }), undefined);
  t.equal(seriesKey('a', { y: '1', x: '2' }), 'a{x="2",y="1"}');
});

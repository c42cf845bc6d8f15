import { test } from 'tap';
import { prometheusLabels, prometheusName, TRANSLATION_STRATEGIES } from '../../../services/otel/prometheus-names.ts';

const DEFAULT = 'UnderscoreEscapingWithSuffixes';

test('units become suffixes, before _total, unless they are there', async (t) => {
  const cases: readonly (readonly [string, string, 'counter' | 'gauge' | 'other', string, string])[] = [
    // name, unit, kind, the name in Prometheus, what it ends in
    ['foo.bar', 'By', 'counter', 'foo_bar_bytes_total', 'bytes'],
    ['http.server.request.duration', 's', 'other', 'http_server_request_duration_seconds', 'seconds'],
    ['took', 'ms', 'other', 'took_milliseconds', 'milliseconds'],
    ['speed', 'm/s', 'gauge', 'speed_meters_per_second', 'meters_per_second'],
    ['rate', '{packet}/s', 'gauge', 'rate_per_second', 'per_second'],
    ['requests', '{request}', 'counter', 'requests_total', ''],
    ['busy', '1', 'gauge', 'busy_ratio', 'ratio'],
    ['busy', '1', 'counter', 'busy_total', ''],
    ['heat', 'Cel', 'gauge', 'heat_celsius', 'celsius'],
    ['load', '%', 'gauge', 'load_percent', 'percent'],
    ['size', 'KiBy', 'gauge', 'size_kibibytes', 'kibibytes'],
    ['width', 'furlong', 'gauge', 'width_furlong', 'furlong'],
    ['sent.bytes.total', 'By', 'counter', 'sent_bytes_total', 'bytes'],
    ['bytes.sent', 'By', 'counter', 'bytes_sent_total', ''],
    ['wait_seconds', 's', 'gauge', 'wait_seconds', 'seconds'],
    ['a..b--c__d', '', 'other', 'a_b_c_d', ''],
    ['jobs.', '', 'counter', 'jobs_total', ''],
    ['size-', 'By', 'gauge', 'size_bytes', 'bytes'],
    ['heat', '1/s', 'gauge', 'heat_per_second', 'per_second'],
    ['heat', 'Cel/', 'gauge', 'heat_celsius', 'celsius'],
    ['heat', '°', 'gauge', 'heat', ''],
    ['size', 'k{x}B', 'gauge', 'size_kB', 'kB'],
    ['9lives', '', 'other', '_9lives', ''],
    ['jobs_total', '', 'counter', 'jobs_total', ''],
  ];
  for (const [name, unit, kind, expected, word] of cases) {
    t.strictSame(
      prometheusName({ name, unit, kind }, DEFAULT),
      { name: expected, unit: word },
      `${name} ${unit} ${kind}`,
    );
  }
});

test('the four strategies', async (t) => {
  const metric = { name: 'foo.bar', unit: 'By', kind: 'counter' } as const;
  t.strictSame(
    TRANSLATION_STRATEGIES.map((strategy) => prometheusName(metric, strategy).name),
    ['foo_bar_bytes_total', 'foo_bar', 'foo.bar_bytes_total', 'foo.bar'],
  );
  t.strictSame(prometheusLabels({ 'a.b': 'x' }, 'NoTranslation'), { names: ['a.b'], values: ['x'] });
});

test('labels that become one are joined with ; in the order of their keys; what is no text is JSON', async (t) => {
  const attributes = {
    a_b: '3',
    'a.b': '1',
    'a-b': '0',
    n: 5,
    list: ['x', 1],
    yes: true,
    none: undefined,
    empty: '',
    '1x': 'd',
  };
  const { names, values } = prometheusLabels(attributes, DEFAULT);
  t.strictSame(Object.fromEntries(names.map((name, i) => [name, values[i]])), {
    a_b: '0;1;3',
    key_1x: 'd',
    list: '["x",1]',
    n: '5',
    yes: 'true',
  });
  t.strictSame(prometheusLabels({ le: '7' }, DEFAULT, 'le').names, ['exported_le'], 'buckets keep their own');
});

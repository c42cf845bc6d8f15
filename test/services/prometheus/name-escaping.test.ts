import { test } from 'tap';
import { ESCAPING_SCHEMES, escapeLabel, escapeMetric } from '../../../services/prometheus/name-escaping.ts';

test('the four schemes, with the examples of the specification', async (t) => {
  const cases: readonly (readonly [string, ...string[]])[] = [
    // name, allow-utf-8, underscores, dots, values
    ['no:change_1', 'no:change_1', 'no:change_1', 'no:change__1', 'no:change_1'],
    [
      'metric.name/with/slashes',
      'metric.name/with/slashes',
      'metric_name_with_slashes',
      'metric_dot_name_with_slashes',
      'U__metric_2E_name_2F_with_2F_slashes',
    ],
    [
      'metric.name.with.dots',
      'metric.name.with.dots',
      'metric_name_with_dots',
      'metric_dot_name_dot_with_dot_dots',
      'U__metric_2E_name_2E_with_2E_dots',
    ],
    ['metric.name', 'metric.name', 'metric_name', 'metric_dot_name', 'U__metric_2E_name'],
    ['a_b.c', 'a_b.c', 'a_b_c', 'a__b_dot_c', 'U__a__b_2E_c'],
    ['9x', '9x', '_x', '_x', 'U___39_x'],
    ['µs😀', 'µs😀', '_s_', '_s_', 'U___B5_s_1F600_'],
  ];
  for (const [name, ...escaped] of cases) {
    for (const [i, scheme] of ESCAPING_SCHEMES.entries()) {
      t.equal(escapeMetric(scheme, name), escaped[i], `${scheme} ${name}`);
    }
  }
});

test('a colon is for metrics: in a label it is escaped', async (t) => {
  t.equal(escapeLabel('underscores', 'a:b'), 'a_b');
  t.equal(escapeLabel('values', 'a:b'), 'U__a_3A_b');
  t.equal(escapeLabel('allow-utf-8', 'a:b'), 'a:b');
});

test('whatever the name, what is escaped is a legacy name', async (t) => {
  for (const name of ['', '.', '1', '\ud800', '"} 1\n', '中文', 'a b', '__']) {
    for (const scheme of ['underscores', 'dots', 'values'] as const) {
      if (name !== '') t.match(escapeMetric(scheme, name), /^[a-zA-Z_:][a-zA-Z0-9_:]*$/, `${scheme} '${name}'`);
    }
  }
});

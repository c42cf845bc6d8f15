import { test } from 'tap';
import { prometheusRenderer } from '../../../services/prometheus/renderer.ts';
import { targetInfo } from '../../../services/prometheus/target-info.ts';
import { parsePrometheusText, select } from '../../harness/prometheus-text.ts';
import { testCollector } from '../../runtime/metrics/fixture.ts';

const OPEN = 'application/openmetrics-text';

test('the resource is target_info, first in both formats', async (t) => {
  const { collector, clock, logger } = testCollector();
  collector.dynamic.counterAdd('c_total', 1, {});
  const resource = { 'service.name': 'a "b"', 'process.pid': 7, 'x.y': 1, x_y: 2, '9a': 'n' };
  const renderer = prometheusRenderer({ collector, clock, logger, resource });
  for (const [accept, type, family] of [
    ['text/plain', 'gauge', 'target_info'],
    [OPEN, 'info', 'target'],
  ] as const) {
    const text = (await renderer.render({ accept })).body.toString();
    const parsed = parsePrometheusText(text);
    t.same(select(parsed, 'target_info'), [
      { name: 'target_info', labels: { service_name: 'a "b"', process_pid: '7', x_y: '1;2', _9a: 'n' }, value: 1 },
    ]);
    t.equal(parsed.families.get(family)?.type, type);
    t.ok(text.indexOf('target_info') < text.indexOf('c_total'));
  }
});

test('a metric of the app with that name wins; without a resource there is none', async (t) => {
  const { collector, clock, logger } = testCollector();
  const textOf = async (renderer: ReturnType<typeof prometheusRenderer>): Promise<string> =>
    (await renderer.render({})).body.toString();
  t.notMatch(await textOf(prometheusRenderer({ collector, clock, logger })), /target/);
  collector.dynamic.gaugeSet('target_info', 5, {});
  const text = await textOf(prometheusRenderer({ collector, clock, logger, resource: { a: 1 } }));
  t.match(select(parsePrometheusText(text), 'target_info'), [{ value: 5 }]);
  t.match(targetInfo({ a: 1 }).text, /^target_info\{a="1"\} 1$/m, 'which it would have been');
});

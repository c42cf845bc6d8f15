import { test } from 'tap';
import { createFaults } from '../../../services/cdc/fault.ts';
import { ChangeHub } from '../../../services/cdc/hub.ts';
import { surfaceBench } from '../surface-bench.ts';

test('the names of a source are ours before its first change and its first fault: Lua cannot take them', async (t) => {
  const { env } = await surfaceBench(t, []);
  new ChangeHub(env, { slot: 'orders' });
  createFaults(env, { sourceId: 'app:orders', slot: 'orders' });
  for (const name of ['cdc_changes_total', 'cdc_errors_total']) {
    const taken = env.collector.dynamic.gaugeSet(`wippy_${name}`, 1, {});
    t.match(taken, { ok: false, problem: /taken by the runtime/ }, name);
  }
});

import { test } from 'tap';
import { createHealth } from '../../../runtime/metrics/component-health.ts';
import { familyOf, testCollector, valueAt } from './fixture.ts';
import { EPOCH_MS } from './manual-clock.ts';

const component = 'app:jobs';
const DEGRADED = 'wippy_component_degraded_seconds_total';
const ACTIVITY = 'wippy_component_last_activity_unix_seconds';

test('rule 17: the last activity is there from construction', async (t) => {
  const { collector, clock } = testCollector();
  clock.advance(5000);
  const health = createHealth(collector, clock)(component);
  t.equal(valueAt(collector, ACTIVITY, { component }), EPOCH_MS / 1000 + 5);
  clock.advance(1500);
  t.equal(valueAt(collector, ACTIVITY, { component }), EPOCH_MS / 1000 + 5);
  health.activity();
  t.equal(valueAt(collector, ACTIVITY, { component }), EPOCH_MS / 1000 + 6.5);
});

test('rule 18: time degraded includes the open interval and keeps rising', async (t) => {
  const { collector, clock } = testCollector();
  const health = createHealth(collector, clock)(component);
  clock.advance(1000);
  t.equal(valueAt(collector, DEGRADED, { component }), 0);
  health.degraded(true);
  clock.advance(2000);
  t.equal(valueAt(collector, DEGRADED, { component }), 2);
  health.degraded(true);
  clock.advance(1000);
  t.equal(valueAt(collector, DEGRADED, { component }), 3, 'said twice counts once');
  health.degraded(false);
  clock.advance(9000);
  t.equal(valueAt(collector, DEGRADED, { component }), 3);
  health.degraded(false);
  health.degraded(true);
  clock.advance(500);
  t.equal(valueAt(collector, DEGRADED, { component }), 3.5);
});

test('rule 19: degraded from the first moment counts from the first moment', async (t) => {
  const { collector, clock } = testCollector();
  createHealth(collector, clock)(component).degraded(true);
  clock.advance(250);
  t.equal(valueAt(collector, DEGRADED, { component }), 0.25);
});

test('rules 9 and 30: errors and restarts appear with the first one; kinds are a closed set', async (t) => {
  const { collector, clock } = testCollector();
  const healthOf = createHealth(collector, clock);
  const health = healthOf(component);
  t.equal(familyOf(collector, 'wippy_component_errors_total'), undefined);
  t.equal(familyOf(collector, 'wippy_component_restarts_total'), undefined);
  health.error('connect');
  health.error('connect');
  health.error('EHOSTUNREACH 10.0.0.7' as 'connect');
  health.restarted();
  t.equal(valueAt(collector, 'wippy_component_errors_total', { component, kind: 'connect' }), 2);
  t.equal(valueAt(collector, 'wippy_component_errors_total', { component, kind: 'other' }), 1);
  t.equal(valueAt(collector, 'wippy_component_restarts_total', { component }), 1);
  t.equal(healthOf(component), health, 'asked twice, the same');
});

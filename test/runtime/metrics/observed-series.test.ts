import { test } from 'tap';
import { familyOf, seriesOf, testCollector, valueAt } from './fixture.ts';

const ERRORS = 'wippy_telemetry_callback_errors_total';
const depth = { name: 'queue_depth', help: 'h', unit: '{message}', labels: ['queue'] as const };

test('a series is read at collection, from its registration until it is taken back', async (t) => {
  const { collector } = testCollector();
  let value = 0;
  const unregister = collector.observe('gauge', depth, { queue: 'a' }, () => value);
  t.equal(valueAt(collector, 'wippy_queue_depth', { queue: 'a' }), 0);
  const before = seriesOf(collector, 'wippy_queue_depth', { queue: 'a' });
  t.equal(seriesOf(collector, 'wippy_queue_depth', { queue: 'a' }), before, 'unchanged: the same object');
  value = 7;
  const after = seriesOf(collector, 'wippy_queue_depth', { queue: 'a' });
  t.equal(after?.value, 7);
  t.not(after?.version, before?.version);
  t.equal(before?.value, 0, 'an earlier snapshot stays as it was');
  unregister();
  unregister();
  t.equal(familyOf(collector, 'wippy_queue_depth'), undefined);
  t.doesNotThrow(() => collector.observe('gauge', depth, { queue: 'a' }, () => 1), 'and it may come back');
});

test('rule 101: a failing callback drops its own series only, never shows an old value, and is counted with its name', async (t) => {
  const { collector, lines } = testCollector();
  let broken = false;
  const read = () => {
    if (broken) throw new Error('pool is gone');
    return 3;
  };
  collector.observe('gauge', depth, { queue: 'a' }, read);
  collector.observe('gauge', depth, { queue: 'b' }, () => 4);
  t.equal(valueAt(collector, 'wippy_queue_depth', { queue: 'a' }), 3);
  t.equal(familyOf(collector, ERRORS), undefined);
  broken = true;
  const snapshot = collector.snapshot();
  const shown = snapshot.families.find((family) => family.name === 'wippy_queue_depth');
  t.strictSame(
    shown?.series.map((series) => series.labelValues[0]),
    ['b'],
  );
  const counted = snapshot.families.find((family) => family.name === ERRORS)?.series[0];
  t.equal(counted?.value, 1, 'in this very snapshot');
  t.strictSame(counted?.labelValues, ['wippy_queue_depth']);
  collector.snapshot();
  t.equal(lines.length, 1, 'one line per episode');
  t.equal(lines[0]?.fields?.error, 'pool is gone');
  broken = false;
  t.equal(valueAt(collector, 'wippy_queue_depth', { queue: 'a' }), 3);
  broken = true;
  collector.snapshot();
  t.equal(lines.length, 2, 'and the next episode has its own');
  t.equal(valueAt(collector, ERRORS, { metric: 'wippy_queue_depth' }), 4);
});

test('rule 32: NaN and infinities of a callback never leave; undefined leaves the series out without an error', async (t) => {
  const { collector } = testCollector();
  let value: number | undefined = Number.NaN;
  collector.observe('gauge', depth, { queue: 'a' }, () => value);
  t.equal(valueAt(collector, 'wippy_queue_depth', { queue: 'a' }), undefined);
  t.equal(valueAt(collector, 'wippy_telemetry_invalid_observations_total', { reason: 'nan' }), 2);
  value = undefined;
  t.equal(familyOf(collector, 'wippy_queue_depth'), undefined);
  t.equal(valueAt(collector, 'wippy_telemetry_invalid_observations_total', { reason: 'nan' }), 2);
  value = 1;
  t.equal(valueAt(collector, 'wippy_queue_depth', { queue: 'a' }), 1);
});

test('one label set has one owner', async (t) => {
  const { collector } = testCollector();
  collector.observe('gauge', depth, { queue: 'a' }, () => 1);
  t.throws(() => collector.observe('gauge', depth, { queue: 'a' }, () => 2), /queue="a".*exists already/);
  t.throws(() => collector.gauge(depth).bind({ queue: 'a' }), /queue="a".*read at collection/);
  t.throws(() => collector.observe('counter', depth, { queue: 'b' }, () => 2), /gauge.*counter/);
  collector.gauge(depth).bind({ queue: 'b' }).set(2);
  t.equal(familyOf(collector, 'wippy_queue_depth')?.series.length, 2);
});

import { test } from 'tap';
import { silentLogger } from '../../../runtime/logger.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import { cellOf, VALUE } from '../../../runtime/metrics/series-rows.ts';
import { foldTo } from '../../../runtime/metrics/vocabulary.ts';
import { familyOf, testCollector, valueAt } from './fixture.ts';
import { manualClock } from './manual-clock.ts';

const spec = { name: 'jobs_total', help: 'Jobs.', unit: '{job}', labels: ['queue', 'result'] as const };

test('rule 6: a second registration with another kind is refused and both kinds are named', async (t) => {
  const { collector } = testCollector();
  collector.counter(spec);
  t.throws(() => collector.gauge(spec), /counter 'wippy_jobs_total'.*gauge 'wippy_jobs_total'/);
  t.throws(() => collector.counter({ ...spec, labels: ['queue'] }), /\[queue, result\].*\[queue\]/);
  const histogram = { ...spec, name: 'h', boundaries: [1, 2] };
  collector.histogram(histogram);
  t.throws(() => collector.histogram({ ...histogram, boundaries: [1, 3] }), /\[1, 2\].*\[1, 3\]/);
  t.doesNotThrow(() => collector.histogram({ ...histogram, boundaries: [1, 2], labels: ['result', 'queue'] }));
});

test('rule 7: the same registration from many places is one family', async (t) => {
  const { collector } = testCollector();
  for (let i = 0; i < 3; i += 1) collector.counter(spec).bind({ queue: 'a', result: 'ack' }).add(1);
  const families = collector.snapshot().families.filter((family) => family.name === 'wippy_jobs_total');
  t.equal(families.length, 1);
  t.equal(families[0]?.series.length, 1);
  t.equal(families[0]?.series[0]?.value, 3);
});

test('names that map to one exported name, or to samples of another metric: the second is refused', async (t) => {
  const { collector } = testCollector();
  const named = (name: string) => ({ name, help: 'h', unit: '1', labels: [], namespaced: false });
  collector.counter(named('a.b'));
  t.throws(() => collector.counter(named('a_b')), /'a\.b'.*'a_b'/);
  collector.histogram({ ...named('lat'), boundaries: [1] });
  t.throws(() => collector.counter(named('lat_count')), /'lat'.*'lat_count'/);
  collector.gauge(named('late_sum'));
  t.throws(() => collector.histogram({ ...named('late'), boundaries: [1] }), /'late_sum'.*'late'/);
  t.ok(collector.owns('a_b') && collector.owns('lat_bucket'));
  t.notOk(collector.owns('late'), 'what was refused left nothing behind');
});

test('rule 27: label names that cannot be used are refused at registration', async (t) => {
  const { collector } = testCollector();
  for (const label of ['a-b', 'a.b', '9x', '', '__x', 'ä']) {
    t.throws(() => collector.counter({ ...spec, labels: [label] }), /'jobs_total'.*label name/, `'${label}'`);
  }
  t.throws(() => collector.counter({ ...spec, labels: ['a.b', 'a_b'] }), /'a\.b' and 'a_b' are both exported as 'a_b'/);
  t.throws(() => collector.counter({ ...spec, labels: ['a', 'a'] }), /'a' and 'a'/);
  t.throws(() => collector.histogram({ ...spec, labels: ['le'], boundaries: [1] }), /'le'/);
  t.equal(collector.owns('wippy_jobs_total'), false);
  t.doesNotThrow(() => collector.counter({ ...spec, labels: ['le', '_a9'] }));
});

test('rule 35: help, unit and boundaries are required', async (t) => {
  const { collector } = testCollector();
  t.throws(() => collector.counter({ ...spec, help: ' ' }), /help is required/);
  t.throws(() => collector.counter({ ...spec, unit: '' }), /unit is required/);
  t.throws(() => collector.counter({ ...spec, name: '' }), /name is required/);
  for (const boundaries of [[], [1, 1], [2, 1], [Number.POSITIVE_INFINITY]]) {
    t.throws(() => collector.histogram({ ...spec, boundaries }), /boundaries/);
  }
  t.throws(() => createCollector({ namespace: '9x', clock: manualClock() }), /metrics\.namespace/);
});

test('labels that were not registered, or are missing, are an error of the caller', async (t) => {
  const { collector } = testCollector();
  const counter = collector.counter<string>(spec);
  t.throws(() => counter.bind({ queue: 'a' }), /label 'result' needs a text, got undefined/);
  t.throws(() => counter.bind({ queue: 'a', result: 'b', x: 'c' }), /no label 'x'/);
});

test('rule 9: a bound handle shows nothing before its first use', async (t) => {
  const { collector } = testCollector();
  const bound = collector.counter(spec).bind({ queue: 'a', result: 'ack' });
  const plain = collector.counter({ ...spec, name: 'plain_total', labels: [] }).bind({});
  t.equal(familyOf(collector, 'wippy_jobs_total'), undefined);
  t.equal(valueAt(collector, 'wippy_plain_total'), 0, 'without labels it is there from the start');
  bound.add(1);
  plain.add(1);
  t.equal(valueAt(collector, 'wippy_jobs_total', { queue: 'a', result: 'ack' }), 1);
  const names = collector.snapshot().families.map((family) => family.name);
  t.strictSame(names, ['wippy_jobs_total', 'wippy_plain_total'], 'none of the collector itself');
});

test('a snapshot is ordered by name, does not change later, and shares what did not change', async (t) => {
  const { collector, clock } = testCollector();
  const b = collector.counter({ ...spec, name: 'b_total', labels: ['z', 'a'] }).bind({ z: '1', a: '2' });
  const a = collector.gauge({ name: 'a', help: 'h', unit: '1', labels: [], namespaced: false }).bind({});
  b.add(1);
  const first = collector.snapshot();
  clock.advance(10);
  b.add(1);
  const second = collector.snapshot();
  t.strictSame(
    first.families.map((family) => family.name),
    ['a', 'wippy_b_total'],
  );
  t.strictSame(first.families[1]?.series[0]?.labelNames, ['a', 'z']);
  t.strictSame(first.families[1]?.series[0]?.labelValues, ['2', '1']);
  t.equal(first.families[1]?.series[0]?.value, 1);
  t.equal(second.families[1]?.series[0]?.value, 2);
  t.equal(second.families[1]?.series[0]?.startTime, first.families[1]?.series[0]?.startTime);
  t.equal(second.families[1]?.series[0]?.labelValues, first.families[1]?.series[0]?.labelValues);
  t.equal(second.families[0], first.families[0], 'the idle family is the same object');
  t.equal(second.time, first.time + 10);
  a.set(1);
  t.not(collector.snapshot().families[0], first.families[0]);
});

test('rules 129 and 130: two collectors keep separate numbers', async (t) => {
  const [one, two] = [1, 2].map(() => createCollector({ namespace: 'x', clock: manualClock(), logger: silentLogger }));
  one?.counter(spec).bind({ queue: 'a', result: 'ack' }).add(1);
  t.equal(one?.snapshot().families.length, 1);
  t.equal(two?.snapshot().families.length, 0);
});

test('rule 21: a value outside its closed set is folded', async (t) => {
  t.equal(foldTo(['ack', 'nack'], 'ack'), 'ack');
  t.equal(foldTo(['ack', 'nack'], 'user-17'), 'other');
});

test('a capture shows one moment, whenever it is read, and reads no label text', async (t) => {
  const { collector } = testCollector();
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const bound = collector.counter({ ...spec, labels: ['queue'] }).bind({ queue: 'a' });
  bound.add(3, ids);
  const capture = collector.capture();
  bound.add(4);
  collector
    .counter({ ...spec, labels: ['queue'] })
    .bind({ queue: 'b' })
    .add(1);
  const block = capture.families.find(({ head }) => head.name === 'wippy_jobs_total')?.blocks[0];
  t.equal(block?.size, 1, 'a later series is not there');
  t.equal(block?.chunkOf(0)[cellOf(0, block.width) + VALUE], 3);
  t.strictSame(block?.labelValues(0), ['a']);
  t.equal(block?.exemplar(0, 0)?.value, 3);
  const later = collector.capture().families.find(({ head }) => head.name === 'wippy_jobs_total')?.blocks[0];
  t.equal(later?.source, block?.source);
  t.equal(later?.size, 2);
  t.equal(later?.chunkOf(0)[cellOf(0, later.width) + VALUE], 7);
});

test('an exemplar that is newer than a capture is not in it', async (t) => {
  const { collector, clock } = testCollector();
  const bound = collector.counter({ ...spec, labels: ['queue'] }).bind({ queue: 'a' });
  bound.add(1);
  const capture = collector.capture();
  clock.advance(1);
  bound.add(1, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) });
  const exemplarIn = ({ families }: typeof capture) =>
    families.find(({ head }) => head.name === 'wippy_jobs_total')?.blocks[0]?.exemplar(0, 0);
  t.equal(exemplarIn(capture), undefined);
  t.equal(exemplarIn(collector.capture())?.value, 1);
});

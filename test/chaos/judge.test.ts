import { test } from 'tap';
import type { CollectedSpan } from '../harness/otlp-decode.ts';
import { parsePrometheusText } from '../harness/prometheus-text.ts';
import { movedGauges } from './gauges.ts';
import { type Evidence, judge } from './judge.ts';
import type { Entry } from './ledger.ts';
import type { Attempt } from './load.ts';
import { FAULT_KINDS, faultPlan } from './plan.ts';
import { seededRandom } from './random.ts';
import { joinedTraces } from './traces.ts';

/** What a chaos run says of a run in which something went wrong: each of its verdicts is able to be red. */
const attempt = (n: number, key: string, isAcknowledged = true): Attempt => ({
  n,
  key,
  traceId: `trace of ${key}`,
  startedAt: 0,
  acknowledgedAt: isAcknowledged ? 10 : undefined,
});
const job = (n: number, key: string, more: Partial<Entry> = {}): Entry => ({
  what: 'job',
  n,
  key,
  messageId: `message ${key}`,
  position: 0n,
  traceId: `trace of ${key}`,
  life: 0,
  at: 20,
  ...more,
});
const change = (n: number, more: Partial<Entry> = {}): Entry => ({
  ...job(n, ''),
  what: 'change',
  messageId: '',
  position: BigInt(n),
  traceId: `trace of change ${n}`,
  ...more,
});
const alive = { startedAt: 0, confirmed: 0n, killedAt: undefined };
const evidence = (more: Partial<Evidence>): Evidence => ({
  publishes: [],
  commits: [],
  entries: [],
  rows: [],
  faults: [],
  lives: [alive],
  ...more,
});
const lossesIn = (more: Partial<Evidence>): string[] => judge(evidence(more), 1).losses.map(({ what }) => what);

test('losses', async (t) => {
  const publishes = [attempt(1, '1.1'), attempt(2, '2.1', false), attempt(2, '2.2')];
  t.same(lossesIn({ publishes, entries: [job(1, '1.1'), job(2, '2.1')] }), [], 'the first attempt was the one');
  t.same(lossesIn({ publishes, entries: [job(1, '1.1')] }), ['message 2.2 was acknowledged and never handled']);
  t.same(lossesIn({ publishes: [attempt(1, '1.1', false)] }), [], 'nobody was promised anything');
  t.match(lossesIn({ publishes, entries: [job(1, '1.1'), job(2, '2.1'), job(2, '2.2')] }), [/stored 2 times/]);
  t.match(lossesIn({ entries: [job(1, '1.1')] }), [/never published/]);
  t.match(lossesIn({ publishes: [attempt(1, '1.1')], entries: [job(1, '1.1', { what: 'dead' })] }), [/dead letters/]);

  const commits = [attempt(1, '1.1')];
  const all = [1, 2, 3, 4, 5];
  t.same(lossesIn({ commits, rows: all, entries: all.map((n) => change(n)) }), []);
  t.same(lossesIn({ commits, rows: all, entries: all.slice(1).map((n) => change(n)) }), [
    'row 1 was committed and its change never handled',
  ]);
  t.match(lossesIn({ commits, rows: all.slice(1), entries: all.slice(1).map((n) => change(n)) }), [/not in the table/]);
  t.match(lossesIn({ entries: [change(-10)] }), [/is not there/], 'what was rolled back');
});

test('duplicates, and those that no kill allows', async (t) => {
  const lives = [
    { ...alive, killedAt: 30 },
    { ...alive, startedAt: 40, confirmed: 3n },
  ];
  const excess = (...entries: Entry[]): [number, number] => {
    const { duplicates, excess: found } = judge(evidence({ entries, lives }), 1);
    return [duplicates.length, found.length];
  };
  const later = { life: 1, at: 50 };
  t.same(excess(job(1, '1.1'), job(2, '2.1', later)), [0, 0]);
  t.same(excess(job(1, '1.1'), job(1, '1.1', later)), [1, 0], 'it was in hand at the kill');
  t.same(excess(job(1, '1.1'), job(2, '2.1'), job(1, '1.1', later), job(2, '2.1', later)), [2, 1], 'one worker');
  t.same(excess(job(1, '1.1'), job(1, '1.1')), [1, 1], 'twice by one process');
  t.same(excess(change(3), change(3, later)), [1, 0], 'it was not confirmed');
  t.same(excess(change(2), change(2, later)), [1, 1], 'it was');
});

const span = (kind: CollectedSpan['kind'], name: string, more: Partial<CollectedSpan>): CollectedSpan =>
  ({ kind, name, spanId: '', parentSpanId: '', links: [], attributes: {}, ...more }) as CollectedSpan;

test('traces', async (t) => {
  const id = { 'messaging.message.id': 'message 1.1' };
  const producer = span('producer', 'chaos:jobs.publish', { traceId: 'trace of 1.1', spanId: 'p', attributes: id });
  const consumer = span('consumer', 'chaos:work', { traceId: 'trace of 1.1', parentSpanId: 'p', attributes: id });
  const link = { traceId: 'trace of c', spanId: 's', attributes: {} };
  const changed = span('consumer', 'chaos:change', { traceId: 'trace of change 1', links: [link] });
  const whole = evidence({
    publishes: [attempt(1, '1.1')],
    commits: [{ ...attempt(1, 'c'), traceId: 'trace of c' }],
    entries: [job(1, '1.1'), change(1)],
  });
  const broken = (found: Evidence, ...spans: CollectedSpan[]): readonly string[] =>
    joinedTraces(found, spans, 15).broken;
  t.same(broken(whole, producer, consumer, changed), []);
  t.match(broken(whole, consumer, changed), [/producer span of message 1.1 has not arrived/]);
  t.match(broken(whole, producer, changed), [/consumer span of message 1.1 has not arrived/]);
  t.match(broken(whole, producer, { ...consumer, parentSpanId: 'x' }, changed), [/no child of its producer/]);
  t.match(broken(whole, producer, consumer), [/handler span of row 1 has not arrived/]);
  t.match(broken(whole, producer, consumer, { ...changed, links: [] }), [/not linked to its commit/]);
  const apart = { ...whole, entries: [job(1, '1.1', { traceId: 'another' }), change(1)] };
  t.match(broken(apart, producer, consumer, changed), [/another trace/]);
  const killed = { ...whole, lives: [{ ...alive, killedAt: 30 }] };
  t.same(broken(killed, producer), [], 'spans of the last moments are lost with their process');
  t.equal(joinedTraces(killed, [producer], 15).unsent, 2);
  t.equal(broken({ ...whole, lives: [{ ...alive, killedAt: 90 }] }, producer).length, 2, 'older ones are not');
});

const GAUGES = `wippy_http_requests_in_flight 0
wippy_function_in_flight 0
wippy_queue_in_flight{queue="a"} 0
wippy_queue_in_flight{queue="b"} 0
wippy_queue_depth 0
wippy_queue_oldest_age_seconds 0
wippy_cdc_lag_seconds 0
wippy_sql_pool_connections{state="used"} 0
wippy_sql_pool_connections{state="idle"} 3
`;

test('gauges', async (t) => {
  const moved = (text: string): readonly string[] => movedGauges(parsePrometheusText(text));
  t.same(moved(GAUGES), []);
  t.same(moved(GAUGES.replace('{queue="b"} 0', '{queue="b"} 1')), ['wippy_queue_in_flight{"queue":"b"} is 1']);
  t.same(moved(GAUGES.replace('{state="used"} 0', '{state="used"} 2')), [
    'wippy_sql_pool_connections{"state":"used"} is 2',
  ]);
  t.same(moved(GAUGES.replace('wippy_queue_depth 0\n', '')), ['wippy_queue_depth is missing']);
  const none = GAUGES.replaceAll(/wippy_queue_in_flight.*\n/g, '');
  t.same(moved(none), [], 'no message has come to this program');
  t.same(moved(`${none}wippy_queue_messages_total 1\n`), ['wippy_queue_in_flight is missing']);
});

test('the same seed plans the same faults', async (t) => {
  const counts = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 3]));
  const plan = (seed: number) => faultPlan(seededRandom(seed), counts, 20_000);
  t.same(plan(6), plan(6));
  t.not(JSON.stringify(plan(6)), JSON.stringify(plan(7)));
  t.equal(plan(6).length, 3 * FAULT_KINDS.length);
  const points = plan(6).map(({ after }) => after);
  t.same(
    points,
    points.toSorted((a, b) => a - b),
  );
  t.ok((points[0] ?? 0) >= 400 && (points.at(-1) ?? 0) <= 18_000, 'work is left after the last one');
});

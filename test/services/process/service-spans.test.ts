import { test } from 'tap';
import type { CallError } from '../../../runtime/errors.ts';
import type { ComponentLife } from '../../../runtime/lifecycle.ts';
import { poll } from '../../harness/poll.ts';
import type { EntryText } from '../surface-bench.ts';
import { actor, HOST, IDLE, processBench } from './process-bench.ts';

const service = (process: string): EntryText => ({
  id: 'app:service',
  kind: 'process.service',
  process,
  host: HOST,
  lifecycle: { stop_timeout: '10s' },
});

/** One start of the service, as the supervisor makes it. */
const life = (attempt: number) => {
  const ends: (CallError | undefined)[] = [];
  const of: ComponentLife = { attempt, ended: (error) => void ends.push(error) };
  return { of, ends };
};
const states = (events: readonly { name: string; attributes: object }[]) =>
  events.filter(({ name }) => name !== 'exception').map(({ name, attributes }) => [name, attributes]);

test('rule 71: the states of a stopped service are events on its long span, with the attempt', async (t) => {
  const bench = await processBench(t, [service('app:idle'), actor('app:idle', IDLE)]);
  await bench.component('app:service').stop?.(); // the bench has started it
  await bench.ended(1);
  const long = bench.recorder.span({ name: 'app:idle' });
  t.equal(long.status, 'unset');
  t.same(
    states(long.events),
    ['starting', 'running', 'stopping', 'exited'].map((name) => [name, { attempt: 1 }]),
  );
  t.ok(long.links.length === 1 && bench.recorder.spans({ name: 'app:idle.cancel' }).length === 1);
});

test('a failed attempt ends its long span with the state failed and the error; each attempt has its own', async (t) => {
  const bench = await processBench(t, [service('app:bad'), actor('app:bad', 'error("boom")')]);
  await bench.ended(1);
  const second = life(2);
  await bench.component('app:service').start?.(second.of);
  await poll('the supervisor is told', () => second.ends.length === 1);
  t.match(second.ends[0], { message: /boom/ });
  await bench.ended(2);
  const longs = bench.recorder.spans({ name: 'app:bad' });
  t.same(
    longs.map((span) => states(span.events)),
    [1, 2].map((attempt) => ['starting', 'running', 'failed'].map((name) => [name, { attempt }])),
  );
  for (const span of longs) t.match(span, { status: 'error', attributes: { 'error.type': 'Internal' } });
  t.same(bench.rows('process_restarts_total'), ['service=app:service 1'], 'the first start is no restart');
});

test('a service that returns has exited, and is not stopped', async (t) => {
  const bench = await processBench(t, [service('app:quick'), actor('app:quick', 'return 1')]);
  await bench.ended(1);
  t.same(
    states(bench.recorder.span({ name: 'app:quick' }).events),
    ['starting', 'running', 'exited'].map((name) => [name, { attempt: 1 }]),
  );
  t.same(bench.rows('process_restarts_total'), []);
});

import { test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { fakeClock } from '../fake-clock.ts';
import { lua } from '../surface-bench.ts';
import { actor, host, IDLE, processBench } from './process-bench.ts';

test('rules 5, 10, 69: what has started, runs and has ended, by how; the rows of what runs exist from the start', async (t) => {
  const bench = await processBench(t, [
    actor('app:idle', IDLE),
    actor('app:good', 'return 1'),
    actor('app:raises', 'error("x")'),
    actor('app:refuses', 'return nil, "x"'),
  ]);
  t.same(bench.rows('process_started_total'), [' 0']);
  t.same(bench.rows('process_active'), [' 0']);
  t.same(bench.rows('process_terminated_total'), [], 'rule 9: no row of an outcome that never was');

  const idle = [bench.spawn('app:idle'), bench.spawn('app:idle'), bench.spawn('app:idle')];
  t.same(bench.rows('process_active'), [' 3'], 'also before they first ran');
  for (const id of ['app:good', 'app:raises', 'app:refuses']) bench.spawn(id);
  await bench.ended(3);
  t.same(bench.rows('process_active'), [' 3']);
  bench.processes.terminate(String(idle[0]));
  bench.processes.cancel(String(idle[1]), 'enough');
  await bench.ended(5);

  t.same(bench.rows('process_started_total'), [' 6']);
  t.same(bench.rows('process_active'), [' 1']);
  t.same(bench.rows('process_terminated_total'), ['result=completed 2', 'result=error 3']);
  t.same(bench.rows('process_lifetime_seconds'), ['result=completed 2', 'result=error 3']);
});

test('rules 4, 12: a spawn that fails counts nothing', async (t) => {
  const bench = await processBench(t, [
    actor('app:broken', '', { source: 'error("top")' }),
    host({ max_processes: 1 }),
    actor('app:idle', IDLE),
  ]);
  t.throws(() => bench.spawn('app:broken'), { message: /failed to create process/ });
  t.throws(() => bench.spawn('app:nobody'), { message: /factory not found/ });
  const pid = bench.spawn('app:idle');
  t.throws(() => bench.spawn('app:idle'), { message: /host is full/ });
  bench.processes.cancel(pid, '');
  await bench.ended(1);
  t.same(bench.rows('process_started_total'), [' 1']);
  t.same(bench.rows('process_active'), [' 0']);
});

test('rule 37: lifetimes and turns are in their own buckets, in seconds', async (t) => {
  const clock = fakeClock();
  const bench = await processBench(t, [actor('app:idle', IDLE)], { clock });
  const pids = [bench.spawn('app:idle'), bench.spawn('app:idle')];
  await poll('both wait', () => bench.sum('process_turn_seconds') === 2);
  clock.pass(2_000);
  bench.processes.cancel(String(pids[0]), '');
  await bench.ended(1);
  clock.pass(3_600_000);
  bench.processes.cancel(String(pids[1]), '');
  await bench.ended(2);
  const family = (name: string) => bench.collector.snapshot().families.find((one) => one.name === `wippy_${name}`);
  const lifetime = family('process_lifetime_seconds');
  t.same(lifetime?.boundaries, [0.001, 0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 21600, 86400]);
  const [ends] = lifetime?.series ?? [];
  t.same(Array.from(ends?.bucketCounts ?? []), [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
  t.equal(ends?.value, 2 + 3602);
  t.equal(bench.sum('process_turn_seconds'), 4, 'each ran twice: until it waited, and to its end');
  t.equal(family('process_turn_seconds')?.series[0]?.value, 0, 'what it waited is no turn');
});

test('rules 15, 65: the fullest mailbox of each host, and what a full one refused', async (t) => {
  const bench = await processBench(t, [
    host({ max_mailbox: 3 }),
    { id: 'app:other', kind: 'process.host' },
    actor('app:idle', IDLE),
    lua(
      'app:send',
      `local pid, count = ...
       local last
       for i = 1, count do
         local ok, err = process.send(pid, "t", i)
         last = err
       end
       return last and last:kind()`,
      { modules: [] },
    ),
  ]);
  const [one, two] = [bench.spawn('app:idle'), bench.spawn('app:idle')];
  t.same(bench.rows('process_mailbox_depth_max'), ['host=app:host 0', 'host=app:other 0'], 'from the start on');
  t.same(bench.rows('process_sends_refused_total'), []);
  t.equal(await bench.call('app:send', [one, 1]), undefined);
  t.equal(await bench.call('app:send', [two, 2]), undefined);
  t.same(bench.rows('process_mailbox_depth_max'), ['host=app:host 2', 'host=app:other 0']);
  t.equal(await bench.call('app:send', [two, 5]), 'Unavailable');
  t.same(bench.rows('process_mailbox_depth_max'), ['host=app:host 3', 'host=app:other 0']);
  t.same(bench.rows('process_sends_refused_total'), ['host=app:host 4']);
  for (const pid of [one, two]) bench.processes.cancel(pid, '');
  await bench.ended(2);
  t.same(bench.rows('process_mailbox_depth_max'), ['host=app:host 0', 'host=app:other 0']);
});

test('rule 80: sampling and the spans that are switched off change no count', async (t) => {
  const bench = await processBench(t, [actor('app:good', 'return 1')], {
    spans: { process: false, processLifecycle: false },
  });
  for (let i = 0; i < 5; i += 1) bench.spawn('app:good');
  await bench.ended(5);
  t.same(bench.recorder.spans(), []);
  t.same(bench.rows('process_started_total'), [' 5']);
  t.same(bench.rows('process_lifetime_seconds'), ['result=completed 5']);
  t.equal(bench.sum('process_turn_seconds'), 5);
});

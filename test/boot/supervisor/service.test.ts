import { test } from 'tap';
import { createComponents } from '../../../boot/supervisor/components.ts';
import { CallError, canceled, internal, unavailable } from '../../../runtime/errors.ts';
import type { Component } from '../../../runtime/lifecycle.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { createHealth } from '../../../runtime/metrics/component-health.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import { fakeClock } from '../../harness/fake-thread.ts';
import { end, POLICY, settle, supervisorBench } from './bench.ts';

const failing = (message: string) => async (): Promise<void> => {
  throw new Error(message);
};
const crash = unavailable('lost');

test('a component that ends with an error is stopped, started and opened again after its delay', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  await bench.pass(10);
  await end(a, crash);
  t.match(supervisor.state('a'), { status: 'starting', desired: 'running', retryCount: 1, details: 'lost' });
  await bench.pass(99);
  t.same(bench.steps, ['start a 0', 'open a 0']);
  await bench.pass(1);
  t.same(bench.steps.slice(2), ['stop a 110', 'start a 110', 'open a 110']);
  t.match(supervisor.state('a'), { status: 'running', retryCount: 1, startedAt: bench.clock.wall() });
  t.same(
    a.lives.map(({ attempt }) => attempt),
    [1, 2],
  );
  t.same(bench.told, ['a well', 'a error internal', 'a degraded', 'a restarted', 'a well']);
});

test('before the program opens a restarted component is not opened; then it is, once', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  await bench.pass(100);
  t.same(bench.steps, ['start a 0', 'stop a 100', 'start a 100']);
  await end(a, crash);
  await supervisor.open();
  t.equal(bench.steps.length, 3, 'it waits for its restart');
  await bench.pass(200);
  t.same(bench.steps.slice(3), ['stop a 300', 'start a 300', 'open a 300']);
});

test('an end without an error is the last: exited, however long one waits', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  await end(a);
  await end(a, crash);
  await bench.pass(1_000_000);
  t.match(supervisor.state('a'), { status: 'exited', desired: 'running', retryCount: 0, details: '' });
  t.same(bench.steps, ['start a 0', 'open a 0']);
  t.same(bench.at('debug'), ['a has ended']);
  t.same(await supervisor.stop(1000), []);
  t.match(supervisor.state('a'), { status: 'stopped', desired: 'stopped' });
  t.equal(bench.steps.at(-1), 'stop a 1000000', 'what it holds is given back');
});

test('one that exits before it is stable again is not said to run', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  await bench.pass(100);
  t.equal(bench.clock.pending, 1, 'it would be stable in a second');
  await end(a);
  t.equal(bench.clock.pending, 0);
  t.same(bench.at('info'), []);
});

test('an end that is told during the start counts when the start is over', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const b = bench.actor('b');
  a.next.start = async () => {
    a.lives.at(-1)?.ended(crash);
    a.lives.at(-1)?.ended();
  };
  b.next.start = async () => b.lives.at(-1)?.ended();
  const supervisor = bench.supervise();
  await supervisor.start();
  t.match(supervisor.state('a'), { status: 'starting', retryCount: 1 }, 'the first word counts');
  t.match(supervisor.state('b'), { status: 'exited' });
  await bench.pass(100);
  t.match(supervisor.state('a'), { status: 'running' });
});

test('what an earlier life says is not heard', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  await end(a, crash);
  t.equal(supervisor.state('a')?.retryCount, 1, 'a life ends once');
  await bench.pass(100);
  a.lives[0]?.ended(crash);
  t.match(supervisor.state('a'), { status: 'running', retryCount: 1 });
  a.lives[1]?.ended(crash);
  t.match(supervisor.state('a'), { status: 'starting', retryCount: 2 });
});

test('delays grow from failure to failure, of the start as well, until it has been stable', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  a.next.start = failing('refused');
  await bench.pass(100);
  t.match(supervisor.state('a'), { status: 'starting', retryCount: 2, details: 'refused' });
  await bench.pass(199);
  t.equal(a.lives.length, 2);
  await bench.pass(1);
  t.equal(a.lives.length, 3);
  t.match(supervisor.state('a'), { status: 'running', retryCount: 2 });
  await bench.pass(1000);
  t.equal(supervisor.state('a')?.retryCount, 0);
  await end(a, crash);
  await bench.pass(100);
  t.equal(a.lives.length, 4, 'from the first delay again');
});

test('after max_attempts restarts it has failed', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a', { restart: { ...POLICY, maxAttempts: 2 } });
  const supervisor = bench.supervise();
  await supervisor.start();
  for (let i = 0; i < 3; i += 1) {
    await end(a, crash);
    await bench.pass(1000 - 1);
  }
  t.equal(a.lives.length, 3, 'the first, and two restarts');
  t.match(supervisor.state('a'), { status: 'failed', desired: 'running', retryCount: 2, details: 'lost' });
  t.equal(bench.clock.pending, 0, 'nothing is waited for');
  t.same(
    bench.told.filter((one) => one.includes('restarted') || one.includes('error')),
    ['a error internal', 'a restarted', 'a error internal', 'a restarted', 'a error internal'],
  );
  t.equal(bench.told.at(-1), 'a degraded', 'for ever');
});

test('terminal errors fail at once: canceled, not retryable; and so does what has no policy', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const b = bench.actor('b');
  const c = bench.actor('c', { restart: undefined });
  const d = bench.actor('d');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, canceled('enough'));
  await end(b, internal('wrong'));
  await end(c, crash);
  await end(d, new CallError('undecided'));
  await bench.pass(10_000);
  t.same(
    supervisor.states().map(({ id, status }) => `${id} ${status}`),
    ['a failed', 'b failed', 'c failed', 'd running'],
  );
  t.same(bench.at('error'), [
    'a has failed and is not started again: enough',
    'b has failed and is not started again: wrong',
    'c has failed and is not started again: lost',
  ]);
});

test('a failure episode has one warning, one word of its end, and is armed again after it', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a', { restart: { ...POLICY, maxAttempts: 3 } });
  const supervisor = bench.supervise();
  await supervisor.start();
  const warning = 'a has failed and is started again: lost';
  await end(a, crash);
  await bench.pass(100);
  await end(a, crash);
  await bench.pass(200);
  t.same(bench.at('warn'), [warning]);
  t.same(bench.at('debug'), ['a has failed once more: lost']);
  t.same(bench.at('info'), [], 'running is not stable yet');
  await bench.pass(1000);
  t.same(bench.at('info'), ['a runs again']);
  await end(a, crash);
  t.same(bench.at('warn'), [warning, warning]);
  for (const delay of [100, 200, 400]) {
    await bench.pass(delay);
    await end(a, crash);
  }
  t.same(bench.at('warn').length, 2);
  t.same(bench.at('error'), ['a has failed and is not started again: lost']);
  t.same(bench.at('info').length, 1);
});

test('a stop during a delay cancels the restart', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const b = bench.actor('b');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  await end(b, crash);
  await bench.pass(50);
  t.same(await supervisor.drain(1000), []);
  t.equal(bench.clock.pending, 0);
  await bench.pass(50);
  t.equal(a.lives.length, 1, 'drain is the request');
  t.same(await supervisor.stop(1000), []);
  await bench.pass(10_000);
  t.equal(a.lives.length, 1);
  t.same(bench.steps.slice(2), ['stop b 100', 'stop a 100']);
  t.match(supervisor.state('a'), { status: 'stopped', desired: 'stopped' });
  b.lives[0]?.ended(crash);
  t.match(supervisor.state('b'), { status: 'stopped' }, 'nobody listens any longer');
});

test('a stop that is only asked for lets no delay end in a restart', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  bench.askToStop();
  await bench.pass(100);
  t.same(bench.steps, ['start a 0']);
  await supervisor.stop(1000);
  t.same(bench.steps, ['start a 0', 'stop a 100']);
});

test('a stop during a restart waits for it a little, then stops what is there', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  await supervisor.open();
  const gate = Promise.withResolvers<void>();
  a.next.start = () => gate.promise;
  await end(a, crash);
  await bench.pass(100);
  const stopped = supervisor.stop(10_000);
  await bench.pass(10);
  t.equal(bench.steps.at(-1), 'start a 100', 'the start is under way');
  gate.resolve();
  t.same(await stopped, []);
  t.same(bench.steps.slice(-2), ['start a 100', 'stop a 110'], 'it is not opened');

  const late = supervisorBench();
  const b = late.actor('b');
  const other = late.supervise();
  await other.start();
  b.next.start = () => new Promise(() => {});
  await end(b, crash);
  await late.pass(100);
  const ended = other.stop(10_000);
  await late.pass(1000);
  t.same(await ended, []);
  t.equal(late.steps.at(-1), 'stop b 1100', 'half way, after a second');
  t.match(other.state('b'), { status: 'stopped' });
});

test('an attempt that fails because of the stop is no failure', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  const gate = Promise.withResolvers<void>();
  a.next.start = () => gate.promise;
  await end(a, crash);
  await bench.pass(100);
  const told = bench.told.length;
  const stopped = supervisor.stop(10_000);
  gate.reject(new Error('stopped'));
  t.same(await stopped, []);
  t.match(supervisor.state('a'), { status: 'stopped', details: 'lost' });
  t.same(bench.told.slice(told), []);
  t.equal(bench.clock.pending, 0);
});

test('while one stops no other is started again', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const b = bench.actor('b');
  const supervisor = bench.supervise();
  await supervisor.start();
  await end(a, crash);
  const gate = Promise.withResolvers<void>();
  b.next.stop = () => gate.promise;
  const stopped = supervisor.stop(10_000);
  await bench.pass(500);
  gate.resolve();
  await stopped;
  t.same(bench.steps, ['start a 0', 'start b 0', 'stop b 0', 'stop a 500']);
});

test('an attempt that cannot stop what was there has failed as well: there are never two', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const supervisor = bench.supervise();
  await supervisor.start();
  a.next.stop = failing('stuck');
  await end(a, crash);
  await bench.pass(100);
  t.equal(a.lives.length, 1);
  t.match(supervisor.state('a'), { status: 'starting', retryCount: 2, details: 'stuck' });
  await bench.pass(200);
  t.equal(a.lives.length, 2);
});

test('a restart waits for an open that has not noticed the end', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  const gate = Promise.withResolvers<void>();
  a.next.open = () => gate.promise;
  const supervisor = bench.supervise();
  await supervisor.start();
  const opened = supervisor.open();
  await end(a, crash);
  await bench.pass(1000);
  t.same(bench.steps, ['start a 0', 'open a 0']);
  gate.reject(new Error('what for?'));
  await opened;
  await settle();
  t.same(bench.steps.slice(2), ['stop a 1000', 'start a 1000', 'open a 1000']);
  t.equal(supervisor.state('a')?.retryCount, 1, 'one end is one failure');
});

test('the times and states of one that is started, and of one that nothing starts', async (t) => {
  const bench = supervisorBench();
  const a = bench.actor('a');
  bench.actor('idle', { autoStart: false });
  const supervisor = bench.supervise();
  const zero = { retryCount: 0, lastUpdate: 0, startedAt: 0, details: '' };
  t.same(supervisor.state('idle'), { id: 'idle', status: 'unknown', desired: 'stopped', ...zero });
  const gate = Promise.withResolvers<void>();
  a.next.start = () => gate.promise;
  const began = bench.clock.wall();
  const starting = supervisor.start();
  t.match(supervisor.state('a'), { status: 'starting', desired: 'running', lastUpdate: began, startedAt: 0 });
  await bench.pass(30);
  gate.resolve();
  await starting;
  t.match(supervisor.state('a'), { status: 'running', lastUpdate: began + 30, startedAt: began + 30 });
  const held = Promise.withResolvers<void>();
  a.next.stop = () => held.promise;
  const stopping = supervisor.stop(1000);
  await settle();
  t.match(supervisor.state('a'), { status: 'stopping', desired: 'stopped' });
  held.resolve();
  await stopping;
  t.match(supervisor.state('a'), { status: 'stopped', startedAt: began + 30 });
  t.match(supervisor.state('idle'), { status: 'unknown' });
  t.equal(supervisor.state('nobody'), undefined);
});

test('rule 18: the real rows: restarts, errors by kind, and the time without it, the open interval included', async (t) => {
  const clock = fakeClock();
  const collector = createCollector({ namespace: 'wippy', clock });
  const lives: { ended(error?: CallError): void }[] = [];
  const component: Component = {
    name: 'app:a',
    needs: [],
    restart: POLICY,
    async start(life) {
      if (life !== undefined) lives.push(life);
      if (lives.length === 2) throw new Error('refused');
    },
  };
  const supervisor = createComponents({
    components: [component],
    clock,
    logger: silentLogger,
    health: createHealth(collector, clock),
  });
  const row = (name: string): unknown[] =>
    (collector.snapshot().families.find((family) => family.name === `wippy_component_${name}`)?.series ?? []).map(
      ({ labelValues, value }) => [...labelValues, value],
    );
  t.same(row('degraded_seconds_total'), [['app:a', 0]], 'from the construction on');
  await supervisor.start();
  lives[0]?.ended(new CallError('gone', { kind: 'Unavailable', telemetryKind: 'connect' }));
  clock.advance(50);
  t.same(row('degraded_seconds_total'), [['app:a', 0.05]]);
  clock.advance(50);
  await settle();
  clock.advance(200);
  await settle();
  t.same(row('degraded_seconds_total'), [['app:a', 0.3]]);
  clock.advance(5000);
  t.same(row('degraded_seconds_total'), [['app:a', 0.3]], 'it runs');
  t.same(row('restarts_total'), [['app:a', 2]]);
  t.same(row('errors_total').sort(), [
    ['app:a', 'connect', 1],
    ['app:a', 'init', 1],
  ]);
});

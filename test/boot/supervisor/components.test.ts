import { test } from 'tap';
import { createComponents } from '../../../boot/supervisor/components.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { StartError } from '../../../runtime/errors.ts';
import type { Component } from '../../../runtime/lifecycle.ts';
import { type Logger, silentLogger } from '../../../runtime/logger.ts';

const never = (): Promise<void> => new Promise(() => {});
const failing = (message: string) => async (): Promise<void> => {
  throw new Error(message);
};

/** Components that write down what is done to them. */
const bench = (components: readonly (Partial<Component> & { name: string })[], isStopping?: () => boolean) => {
  const log: string[] = [];
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => errors.push(message) };
  const recorded = components.map((one): Component => {
    const step = (name: 'start' | 'open' | 'stop') => async (): Promise<void> => {
      log.push(`${name} ${one.name}`);
      await one[name]?.();
    };
    return {
      needs: [],
      ...one,
      start: step('start'),
      open: step('open'),
      stop: step('stop'),
      async drain(deadline) {
        log.push(`drain ${one.name}`);
        await one.drain?.(deadline);
      },
    };
  });
  return { log, errors, ...createComponents({ components: recorded, clock: systemClock(), logger, isStopping }) };
};

test('needs start first, whatever the order of the list; stop is the reverse', async (t) => {
  const { log, start, open, stop } = bench([
    { name: 'web', needs: ['functions', 'db'] },
    { name: 'db', needs: ['disk'] },
    { name: 'functions', needs: ['db'] },
    { name: 'disk' },
  ]);
  await start();
  await open();
  t.same(await stop(1000), []);
  const started = ['disk', 'db', 'functions', 'web'];
  t.same(log, [
    ...started.map((name) => `start ${name}`),
    ...started.map((name) => `open ${name}`),
    ...started.reverse().map((name) => `stop ${name}`),
  ]);
});

test('a circle of needs is an error that names its members', async (t) => {
  const circle = [
    { name: 'x', needs: ['a'] },
    { name: 'a', needs: ['b'] },
    { name: 'b', needs: ['c'] },
    { name: 'c', needs: ['a'] },
  ];
  t.throws(() => bench(circle), { name: 'StartError', message: /a -> b -> c -> a/ });
});

test('autoStart false: started only when something that starts needs it', async (t) => {
  const { log, start } = bench([
    { name: 'web', needs: ['api'] },
    { name: 'api', needs: ['deep'], autoStart: false },
    { name: 'deep', autoStart: false },
    { name: 'idle', needs: ['idler'], autoStart: false },
    { name: 'idler', autoStart: false },
  ]);
  await start();
  t.same(log, ['start deep', 'start api', 'start web']);
});

test('a start that takes longer than its limit has failed', async (t) => {
  const { log, start, stop } = bench([{ name: 'slow', start: never, startTimeoutMs: 20 }, { name: 'next' }]);
  await t.rejects(start(), { name: 'StartError', message: 'slow could not start: start_timeout of 20 ms has passed' });
  t.same(await stop(1000), []);
  t.same(log, ['start slow', 'stop slow'], 'what was begun is given back; what was not, is not');
});

test('an optional component that cannot start is logged, and everything else goes on', async (t) => {
  const { log, errors, start, open } = bench([
    { name: 'cache', startup: 'optional', start: failing('refused') },
    { name: 'web' },
  ]);
  await start();
  await open();
  t.same(errors, ['cache could not start: refused']);
  t.same(log, ['start cache', 'start web', 'open web'], 'it is not opened');
});

test('what needs an optional component that could not start cannot start either', async (t) => {
  const cache = { name: 'cache', startup: 'optional' as const, start: failing('refused') };
  const optional = bench([cache, { name: 'warm', needs: ['cache'], startup: 'optional' }, { name: 'web' }]);
  await optional.start();
  t.strictSame(optional.log, ['start cache', 'start web']);
  t.match(optional.errors[1], 'warm could not start: it needs cache, which could not start');
  await t.rejects(bench([cache, { name: 'web', needs: ['cache'] }]).start(), {
    message: 'web could not start: it needs cache, which could not start',
  });
});

test('rule 95: after a failed start everything that was begun is stopped, in reverse, and nothing hangs', async (t) => {
  const { log, start, stop } = bench([
    { name: 'a' },
    { name: 'b', needs: ['a'], start: failing('no'), stop: never, stopTimeoutMs: 20 },
    { name: 'c', needs: ['b'] },
  ]);
  await t.rejects(start(), StartError);
  const errors = await stop(1000);
  t.same(log, ['start a', 'start b', 'stop b', 'stop a']);
  t.same(
    errors.map((error) => error.message),
    ['b could not stop: stop_timeout of 20 ms has passed'],
  );
});

test('rule 112: errors of unwinding are joined, later steps still run, none is dropped', async (t) => {
  const { log, start, drain, stop } = bench([
    { name: 'a', stop: failing('one'), drain: failing('four') },
    { name: 'b' },
    { name: 'c', stop: failing('two'), drain: failing('five') },
    {
      name: 'd',
      stop() {
        throw new Error('three'); // at once, not in a promise
      },
    },
  ]);
  await start();
  t.same(
    (await drain(1000)).map((error) => error.message),
    ['a could not drain: four', 'c could not drain: five'],
  );
  t.same(
    (await stop(1000)).map((error) => error.message),
    ['d could not stop: three', 'c could not stop: two', 'a could not stop: one'],
  );
  t.same(log.slice(-4), ['stop d', 'stop c', 'stop b', 'stop a']);
});

test('rule 110: stop is idempotent, and does nothing without a start', async (t) => {
  const { log, start, drain, stop } = bench([{ name: 'a', stop: failing('once') }]);
  t.same([...(await drain(1000)), ...(await stop(1000))], []);
  t.same(log, []);
  await start();
  t.equal((await stop(1000)).length, 1);
  t.same(await stop(1000), []);
  t.same(log, ['start a', 'stop a']);
});

test('drain tells all at once, and waits no longer than the deadline', async (t) => {
  const told: string[] = [];
  const waiting = (name: string) => ({
    name,
    drain: (deadline: AbortSignal): Promise<void> => {
      told.push(name);
      return new Promise((resolve) => deadline.addEventListener('abort', () => resolve()));
    },
  });
  const { start, drain } = bench([
    waiting('a'),
    waiting('b'),
    { name: 'deaf', drain: never, stopTimeoutMs: 10 },
    { name: 'quick' },
  ]);
  await start();
  const began = performance.now();
  const draining = drain(200);
  t.same(told, ['a', 'b'], 'nobody waits for another');
  t.same(
    (await draining).map((error) => error.message),
    ['deaf could not drain: not drained within 10 ms'],
  );
  const took = performance.now() - began;
  t.ok(took >= 195, `those who listen had their time: ${took} ms`);
});

test('rule 109: a stop that is asked for during the start begins nothing more', async (t) => {
  let isStopping = false;
  const { log, start, open, stop } = bench(
    [
      {
        name: 'a',
        start: async () => {
          isStopping = true;
        },
      },
      { name: 'b' },
    ],
    () => isStopping,
  );
  await start();
  await open();
  await stop(1000);
  t.same(log, ['start a', 'stop a']);
});

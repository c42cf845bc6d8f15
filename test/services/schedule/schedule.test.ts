import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { type CallContext, rootContext } from '../../../runtime/context.ts';
import type { Declared, Entry } from '../../../runtime/entry.ts';
import type { Env } from '../../../runtime/env.ts';
import { CallError, internal } from '../../../runtime/errors.ts';
import type { LuaValue } from '../../../runtime/lua/values.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { VALUES } from '../../../services/function/port.ts';
import { PROCESSES, type Processes, type SpawnRequest } from '../../../services/process/port.ts';
import type { ScheduleConfig } from '../../../services/schedule/kinds.ts';
import { schedule } from '../../../services/schedule/schedule.ts';
import { scheduleSurface } from '../../../services/schedule/surface.ts';
import { ACTOR, SECURITY, type Security } from '../../../services/security/port.ts';
import { fakeClock } from '../fake-clock.ts';
import { type EntryText, lua, registryOf, surfaceBench } from '../surface-bench.ts';

type Scope = Parameters<typeof surfaceBench>[0];
const TICK = { id: 'app:tick', kind: 'process.schedule', func: 'app:work' };

/** A schedule every 10 s, unless it says otherwise, of a function with this body. */
const every10s = async (t: Scope, body: string, more: object = {}, entries: readonly EntryText[] = []) => {
  const clock = fakeClock(Date.parse('2026-03-01T12:00:00Z'));
  const trigger = 'cron' in more ? {} : { every: '10s' };
  const bench = await surfaceBench(t, [{ ...TICK, ...trigger, ...more }, lua('app:work', body), ...entries], { clock });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.pass(Math.min(left, 1000));
      await turn();
    }
  };
  return {
    ...bench,
    clock,
    pass,
    tick: bench.component('app:tick'),
    runs: () => bench.rows('schedule_runs_total').map((row) => row.replace(/^result=(.*),schedule=app:tick/, '$1')),
    scheduleLines: () => bench.lines.filter(({ fields }) => fields.subsystem === 'schedule'),
  };
};

test("a run: a root span with the function's as its child, one count, one line", async (t) => {
  const { pass, recorder, runs, scheduleLines, notes } = await every10s(t, 'host.note(1)', { cron: '*/10 * * * * *' });
  t.same(runs(), [], 'no series before the first run');
  await pass(10_000);
  t.same(notes, [1]);
  const run = recorder.span({ name: 'app:tick' });
  t.match(run, { kind: 'internal', parentSpanId: '', status: 'unset' });
  t.same(run.attributes, { 'faas.trigger': 'timer', 'faas.cron': '*/10 * * * * *' });
  const called = recorder.span({ name: 'app:work' });
  t.match(called, { kind: 'internal', parentSpanId: run.spanId, traceId: run.traceId });
  t.match(called.attributes, { 'faas.name': 'app:work', 'code.function.name': 'main' });
  t.equal(recorder.spans().length, 2);
  t.same(runs(), ['success 1']);
  t.same(scheduleLines(), [
    {
      level: 'info',
      message: 'schedule ran',
      fields: {
        subsystem: 'schedule',
        schedule: 'app:tick',
        function_id: 'app:work',
        result: 'success',
        duration_ms: 0,
      },
    },
  ]);
});

test('each run is a trace of its own, and faas.cron is absent for every', async (t) => {
  const { pass, recorder, runs } = await every10s(t, '');
  await pass(30_000);
  const spans = recorder.spans({ name: 'app:tick' });
  t.equal(spans.length, 3);
  t.equal(new Set(spans.map(({ traceId }) => traceId)).size, 3);
  t.same(spans[0]?.attributes, { 'faas.trigger': 'timer' });
  t.same(runs(), ['success 3']);
});

test('a failure is an error of span, count and line, and the schedule goes on', async (t) => {
  for (const body of [`error('broken')`, `return nil, 'broken'`, `host.sleep(1) error('broken')`]) {
    const { pass, recorder, runs, scheduleLines } = await every10s(t, body);
    await pass(30_000);
    t.same(runs(), [body.includes('sleep') ? 'error 2' : 'error 3'], body);
    await pass(1000);
    t.same(runs(), ['error 3'], body);
    const [run] = recorder.spans({ name: 'app:tick' });
    t.match(run, { status: 'error', statusMessage: /broken/, events: [] });
    const [called] = recorder.spans({ name: 'app:work' });
    t.match(called, { status: 'error', events: [{ name: 'exception' }] }, 'the exception is recorded once');
    t.equal(run?.attributes['error.type'], called?.attributes['error.type']);
    t.match(scheduleLines(), Array(3).fill({ level: 'error', fields: { result: 'error', error: /broken/ } }));
  }
});

test('input is the list of arguments', async (t) => {
  const body = `local a, b, c, d = ... host.note(a) host.note(b.list[2]) host.note(c == nil) host.note(d)`;
  const { pass, notes } = await every10s(t, body, { input: ['text', { list: [1, 2.5] }, null, true] });
  await pass(10_000);
  t.same(notes, ['text', 2.5, true, true]);
});

/** Runs of 25 s at ticks every 10 s: 10 to 35, and so on. */
const SLOW = 'host.sleep(25000)';

test('overlap: skip counts every tick while one runs', async (t) => {
  const { pass, runs, recorder, scheduleLines } = await every10s(t, SLOW);
  await pass(36_000);
  t.same(runs(), ['skipped 2', 'success 1']);
  t.equal(recorder.spans({ name: 'app:tick' }).length, 1, 'what is skipped is no span');
  t.same(
    scheduleLines().map(({ level, fields }) => `${level} ${fields.result ?? fields.reason}`),
    ['debug the run before has not ended', 'debug the run before has not ended', 'info success'],
  );
  await pass(4000);
  await pass(26_000);
  t.same(runs(), ['skipped 4', 'success 2']);
});

test('overlap: allow runs them beside each other', async (t) => {
  const { pass, runs, recorder } = await every10s(t, SLOW, { overlap: 'allow' });
  await pass(36_000);
  t.same(runs(), ['success 1']);
  await pass(20_000);
  t.same(runs(), ['success 3']);
  const [first, second] = recorder.spans({ name: 'app:tick' });
  t.not(first?.traceId, second?.traceId);
});

test('overlap: queue lets one wait and skips further ones', async (t) => {
  const { pass, runs, notes } = await every10s(t, `host.note('began') ${SLOW}`, { overlap: 'queue' });
  await pass(34_000);
  t.same(runs(), ['skipped 1'], 'the tick at 20 s waits, that at 30 s does not');
  t.equal(notes.length, 1);
  await pass(2000);
  t.same([notes.length, runs()], [2, ['skipped 1', 'success 1']], 'the one that waits begins when the first has ended');
  await pass(25_000);
  t.same(
    [notes.length, runs()],
    [3, ['skipped 3', 'success 2']],
    'the tick at 40 s waited, those at 50 and 60 s did not',
  );
});

/** The schedule alone, on a bench that has none of its own. Its function's pool has no timer, so that all of them are the schedule's. */
const alone = async (t: Scope, config: object, random = () => 0.5) => {
  const clock = fakeClock();
  const work = lua('app:work', 'host.note(1)', { pool: { type: 'static', size: 1, workers: 1 } });
  const bench = await surfaceBench(t, [work], { clock });
  const [declared] = registryOf([{ ...TICK, ...config }]).declared<ScheduleConfig>('process.schedule');
  const make = () => schedule(bench.env, declared as Declared<ScheduleConfig>, random);
  return { bench, clock, make };
};

test('jitter: each run is late by up to so much, and the ticks are not', async (t) => {
  const shares = [0.5, 0, 0.75];
  const { bench, clock, make } = await alone(t, { every: '10s', jitter: '4s' }, () => shares.shift() ?? 0);
  const tick = make();
  await tick.start?.();
  await tick.open?.();
  const counts = [10_000, 1999, 1, 8000, 10_000, 2999, 1].map((ms) => {
    clock.pass(ms);
    return bench.notes.length;
  });
  t.same(counts, [0, 0, 1, 2, 2, 2, 3]);
  clock.pass(7000);
  shares.push(0.5);
  clock.pass(10_000);
  t.equal(bench.notes.length, 4, 'another waits for its moment');
  await tick.stop?.();
  t.equal(clock.timers, 0, 'which the stop ends');
  t.same(bench.rows('schedule_runs_total'), [
    'result=skipped,schedule=app:tick 1',
    'result=success,schedule=app:tick 4',
  ]);
});

test('drain takes no more ticks and lets what runs end', async (t) => {
  const { pass, runs, tick, clock } = await every10s(t, SLOW, { overlap: 'queue' });
  await pass(21_000);
  const deadline = new AbortController();
  let isDrained = false;
  const drained = tick.drain?.(deadline.signal).then(() => {
    isDrained = true;
  });
  t.same(runs(), ['skipped 1'], 'what waits does not begin any more');
  await pass(13_000);
  t.notOk(isDrained);
  await pass(2000);
  t.ok(isDrained);
  await drained;
  await pass(60_000);
  t.same(runs(), ['skipped 1', 'success 1']);
  t.equal(clock.timers, 0);
});

test('rule 4: a run that outlasts the deadline of the drain is cancelled', async (t) => {
  const { pass, runs, tick, clock, recorder, scheduleLines, rows } = await every10s(t, SLOW);
  await pass(11_000);
  const deadline = new AbortController();
  const drained = tick.drain?.(deadline.signal);
  await pass(1000);
  t.same([runs(), rows('function_in_flight')], [[], ['function_id=app:work 1']]);
  deadline.abort();
  await drained;
  t.same([runs(), rows('function_in_flight')], [['error 1'], ['function_id=app:work 0']]);
  t.equal(recorder.span({ name: 'app:tick' }).attributes['error.type'], 'Canceled');
  t.match(scheduleLines(), [{ level: 'error', fields: { error: 'schedule stopped: app:tick' } }]);
  t.equal(clock.timers, 0);

  const late = await every10s(t, SLOW);
  await late.pass(11_000);
  await late.tick.open?.(); // a second time changes nothing: the run that it would lose is still cancelled
  await late.tick.drain?.(AbortSignal.abort());
  t.same(late.runs(), ['error 1'], 'and so is one whose deadline has passed already');
});

test('rules 110, 111: stop cancels, twice and without a start is harmless, ten starts leave no timer', async (t) => {
  const { bench, clock, make } = await alone(t, { every: '10s', jitter: '10s' });
  const tick = make();
  await tick.stop?.();
  for (let cycle = 1; cycle <= 10; cycle += 1) {
    await tick.start?.();
    await tick.open?.();
    await tick.open?.();
    t.equal(clock.timers, 1);
    clock.pass(20_000);
    t.equal(clock.timers, 2, 'the next tick, and a run that waits for its moment');
    if (cycle % 2 === 0) await tick.drain?.(new AbortController().signal);
    await tick.stop?.();
    await tick.stop?.();
    t.equal(clock.timers, 0);
  }
  const count = bench.notes.length;
  t.equal(count, 10);
  clock.pass(600_000);
  t.equal(bench.notes.length, count);
});

test('a run of a process: exec on its host, with the arguments, the trace and a signal', async (t) => {
  const { bench, clock, make } = await alone(t, {
    func: undefined,
    process: 'app:actor',
    host: 'app:host',
    every: '10s',
    input: [1, 'two'],
  });
  const requests: SpawnRequest[] = [];
  let outcome: () => Promise<LuaValue> = async () => 'done';
  const processes: Partial<Processes> = {
    exec(request) {
      requests.push(request);
      return outcome();
    },
  };
  bench.env.provide(PROCESSES, processes as Processes);
  const tick = make();
  await tick.start?.();
  await tick.open?.();
  clock.pass(10_000);
  await turn();
  t.match(requests, [{ id: 'app:actor', host: 'app:host', args: [1, 'two'] }]);
  const run = bench.recorder.span({ name: 'app:tick' });
  t.equal(requests[0]?.context.get(TRACE)?.spanId, run.spanId);
  t.match(bench.lines.at(-1), { level: 'info', fields: { process: 'app:actor', host: 'app:host' } });
  t.notOk('function_id' in (bench.lines.at(-1)?.fields ?? {}));

  outcome = () => Promise.reject(internal('process terminated'));
  clock.pass(10_000);
  await turn();
  outcome = () => {
    throw new CallError('host is not running', { kind: 'Unavailable' });
  };
  clock.pass(10_000);
  await turn();
  t.same(bench.rows('schedule_runs_total'), ['result=error,schedule=app:tick 2', 'result=success,schedule=app:tick 1']);

  outcome = () =>
    new Promise((_resolve, reject) => {
      const { signal } = requests.at(-1)?.context ?? rootContext;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  clock.pass(10_000);
  await tick.stop?.();
  t.match(bench.lines.at(-1), { level: 'error', fields: { error: 'schedule stopped: app:tick' } });
});

test("runs begin with nothing but the service's security", async (t) => {
  const seen: CallContext[] = [];
  const processes: Partial<Processes> = {
    async exec({ context }) {
      seen.push(context);
      return undefined;
    },
  };
  const actor = { id: 'nightly', meta: {} as never };
  const foreign = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false };
  const security: Partial<Security> = {
    serviceContext: (declared) =>
      rootContext.with(ACTOR, { ...actor, id: declared?.actor?.id ?? '' }).with(TRACE, foreign),
  };
  const target = { func: undefined, process: 'app:actor', host: 'app:host', every: '10s' };
  const declared = { security: { actor: { id: 'nightly' }, policies: ['app:all'] } };
  for (const [lifecycle, expected] of [
    [declared, 'nightly'],
    [{}, undefined],
  ] as const) {
    const { bench, clock, make } = await alone(t, { ...target, lifecycle });
    bench.env.provide(PROCESSES, processes as Processes);
    bench.env.provide(SECURITY, security as Security);
    const tick = make();
    await tick.start?.();
    await tick.open?.();
    clock.pass(10_000);
    await tick.stop?.();
    const context = seen.at(-1);
    t.equal(context?.get(ACTOR)?.id, expected);
    t.equal(context?.get(VALUES).size, 0);
    t.equal(bench.recorder.span({ name: 'app:tick' }).parentSpanId, '', 'a root, whatever that context holds');
  }
  t.equal(seen.length, 2);
});

test('it starts after the host that it runs on, and stops before it', async (t) => {
  const { bench } = await alone(t, { every: '1h' });
  const registry = registryOf([{ ...TICK, every: '10s', func: 'app:called', lifecycle: { requires: ['app:kv'] } }]);
  const entry = registry.get('app:tick');
  const called = { ...entry, id: 'app:called', kind: 'process.lua', meta: { default_host: 'workers' } } as Entry;
  const env = { ...bench.env, registry: { ...registry, get: () => called } };
  t.match(scheduleSurface.build(env), [{ name: 'app:tick', autoStart: false, needs: ['app:kv', 'app:workers'] }]);
  t.match(scheduleSurface.build({ ...env, registry })[0]?.needs, ['app:kv'], 'a function has none');
});

test('without what it runs on, or without what its security needs, it does not start', async (t) => {
  const target = { func: undefined, process: 'app:actor', host: 'app:host', every: '10s' };
  for (const [config, port] of [
    [target, PROCESSES],
    [{ every: '10s', lifecycle: { security: { groups: ['app:admins'] } } }, SECURITY],
  ] as const) {
    const { bench, make } = await alone(t, config);
    const { use: found } = bench.env;
    const use: Env['use'] = (key) => {
      if (key.name === port.name) throw new Error(`nothing provides the port '${key.name}'`);
      return found(key);
    };
    Object.assign(bench.env, { use });
    await t.rejects(async () => make().start?.(), new RegExp(`'${port.name}'`));
  }
});

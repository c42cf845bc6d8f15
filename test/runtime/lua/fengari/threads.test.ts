import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { rootContext } from '../../../../runtime/context.ts';
import { canceled } from '../../../../runtime/errors.ts';
import { type LuaInstance, type LuaThread, Suspension } from '../../../../runtime/lua/engine.ts';
import { Coroutine } from '../../../../runtime/lua/fengari/coroutine.ts';
import { hostObject } from '../../../../runtime/lua/values.ts';
import { luaBench, NO_LIMITS } from '../../../harness/lua.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

class Thing {
  readonly [hostObject] = true as const;
}
type Resume = (value: unknown) => void;

/** Host functions that show which thread of the VM calls them: `seen` in order. */
const bench = () => {
  const seen: LuaThread[] = [];
  const things: WeakRef<Thing>[] = [];
  const resumes: Resume[] = [];
  const lua = luaBench({
    here: (thread) => void seen.push(thread),
    thing: () => {
      const made = new Thing();
      things.push(new WeakRef(made));
      return [made];
    },
    wait: () => new Suspension((resume) => resumes.push((value) => resume([value as string]))),
  });
  lua.engine.defineClass({ name: 'Thing', constructor: Thing, methods: { id: () => [1] } });
  const call = (instance: LuaInstance, context = rootContext) =>
    instance.call({ args: [], context, pid: '', entryId: 'test:entry', limits: NO_LIMITS });
  const stateOf = (thread: LuaThread | undefined): object => {
    if (!(thread instanceof Coroutine)) throw new Error('no thread of this engine');
    return thread.L;
  };
  /** Whether a call of `after` runs on the thread that `body` ran on. */
  const reuses = async (body: string): Promise<boolean> => {
    const first = lua.instance(`return function() host.here() ${body}\nend`);
    const second = lua.instance('return function() host.here() end');
    seen.length = 0;
    await (async () => call(first))().catch(() => {}); // some bodies fail
    await call(second);
    return stateOf(seen[0]) === stateOf(seen[1]);
  };
  return { lua, seen, things, resumes, call, stateOf, reuses };
};

test('the thread of a call that ended well serves another call', async (t) => {
  const { reuses } = bench();
  for (const body of [
    '',
    'return 1, 2, nil',
    'return nil, "an error as a value"',
    'pcall(error, "caught")',
    'host.later(1)',
    'local co = coroutine.wrap(function() coroutine.yield(1) end) co() return co()',
    'local co = coroutine.create(function() coroutine.yield() end) kept = co coroutine.resume(co)',
    'local n = 0 for i = 1, 5000 do n = n + i end',
  ]) {
    t.ok(await reuses(body), body);
  }
});

test('a thread that somebody may still refer to, or that did not end well, serves nobody else', async (t) => {
  const { reuses } = bench();
  for (const body of [
    'error("uncaught")',
    'kept = coroutine.running()',
    'coroutine.spawn(function() host.wait() end)',
    'coroutine.spawn(function() end)',
    'local function deep(n) if n > 0 then return 1 + deep(n - 1) end return 0 end return deep(150)',
  ]) {
    t.notOk(await reuses(body), body);
  }
});

test('a killed thread serves nobody else', async (t) => {
  const { lua, seen, call, stateOf } = bench();
  const body = (rest: string) => lua.instance(`return function() host.here() ${rest} end`);
  const abort = new AbortController();
  const killed = call(body('pcall(host.sleep, 1e7)'), rootContext.withSignal(abort.signal));
  abort.abort(canceled('gone'));
  await t.rejects(Promise.resolve(killed), { message: 'gone' });
  await call(body(''));
  t.ok(stateOf(seen[0]) !== stateOf(seen[1]));
});

test('a call leaves nothing on the thread that it used', async (t) => {
  const { lua, things, call, reuses } = bench();
  const bodies = [
    'local a, b = host.thing(), {host.thing()} local function f() return a, b end f()',
    'local function f(...) return select("#", ...) end return f(host.thing(), host.thing(), host.thing())',
    'pcall(function() local a, b, c = host.thing(), 1, 2 error({a, b, c}) end)',
    'local t = {host.thing(), host.thing()} return table.unpack(t)',
    'local a = host.thing() host.later(a) host.sleep(0)',
  ];
  for (const body of bodies) await call(lua.instance(`return function() ${body} end`));
  await call(lua.instance('return function() kept = host.thing() end')); // this one goes with its environment
  const keeping = lua.instance('return function() kept = host.thing() end');
  await call(keeping);
  const kept = things.pop();
  t.ok(await reuses(''), 'the thread is used further');
  await call(lua.instance('return function() return nil, nil, nil, host.thing(), host.thing() end')); // and by nobody after it
  await new Promise((resolve) => setImmediate(resolve)); // a WeakRef holds until the turn is over
  collect();
  t.equal(things.length, 12);
  t.same(
    things.map((thing) => thing.deref()),
    things.map(() => undefined),
  );
  t.ok(kept?.deref() instanceof Thing, 'what a global holds is still there');
  t.ok(keeping.reusable);
});

test('whoever wakes a call after its end wakes no other call on its thread', async (t) => {
  const { lua, seen, resumes, call, stateOf } = bench();
  const waiting = lua.instance('return function() host.here() return (host.wait()) end');
  const first = call(waiting);
  resumes[0]?.('first');
  t.equal((await first).value, 'first');
  const second = call(waiting);
  t.ok(stateOf(seen[1]) === stateOf(seen[0]), 'both ran on one thread');
  resumes[0]?.('again');
  const late = seen[0] as Coroutine;
  late.run.wake(late, ['late']);
  late.run.wake(late, undefined, { error: new Error('late') });
  late.run.requeue(late);
  late.run.execute();
  await new Promise((resolve) => setImmediate(resolve));
  resumes[1]?.('second');
  t.equal((await second).value, 'second');
});

test('a thread object of an ended call tells nothing of the call that runs on its thread now', async (t) => {
  const { lua, seen, call } = bench();
  const first = lua.instance('return function()\nhost.here() end');
  const ask = lua.instance('return function() host.here() host.wait() end');
  await call(first);
  void call(ask);
  const [old, current] = seen as [Coroutine, Coroutine];
  t.ok(old.L === current.L);
  t.same([old.where(), old.traceback(), old.programId()], [undefined, [], 'test:entry']);
  t.ok(current.traceback().length > 0, 'the running one does');
});

test('a call that does not wait puts no listener on its signal, one that waits takes it off again', async (t) => {
  const { lua, resumes, call } = bench();
  const { signal } = new AbortController();
  const context = rootContext.withSignal(signal);
  const counts: number[] = [];
  const count = luaBench({ count: () => void counts.push(getEventListeners(signal, 'abort').length) });
  await call(count.instance('return function() host.count() end'), context);
  t.same(counts, [0]);
  const waiting = call(lua.instance('return function() host.wait() end'), context);
  t.equal(getEventListeners(signal, 'abort').length, 1);
  resumes[0]?.('over');
  await waiting;
  t.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a call that aborts its own signal ends in that line', (t) => {
  for (const body of [
    'host.abort() host.note()',
    'pcall(host.abort) host.note()',
    'pcall(table.sort, {2, 1}, function() pcall(host.abort) host.note() end) host.note()',
  ]) {
    const abort = new AbortController();
    let notes = 0;
    const lua = luaBench({
      abort: () => abort.abort(canceled('own')),
      note: () => {
        notes += 1;
      },
    });
    const instance = lua.instance(`return function() ${body} end`);
    const context = rootContext.withSignal(abort.signal);
    const request = { args: [], context, pid: '', entryId: 'test:entry', limits: NO_LIMITS };
    t.throws(() => instance.call(request), { message: 'own' }, body);
    t.equal(notes, 0);
    t.notOk(instance.reusable);
  }
  t.end();
});

test('close ends calls that wait and those that are on the stack of the host', async (t) => {
  let notes = 0;
  const lua = luaBench({
    stop: () => lua.engine.close(),
    inner: () => {
      const inner = lua.instance('return function() host.stop() host.note() end');
      inner.call({ args: [], context: rootContext, pid: '', entryId: 'test:inner', limits: NO_LIMITS });
    },
    note: () => {
      notes += 1;
    },
  });
  const waiting = lua.run('host.sleep(1e7)');
  const outer = lua.run('pcall(host.inner) host.note()');
  const stopped = { kind: 'Canceled', message: 'the program has stopped' };
  await t.rejects(waiting, stopped);
  await t.rejects(outer, stopped);
  t.equal(notes, 0);
});

test('each call on a thread has the whole budget of instructions', async (t) => {
  const { lua, call } = bench();
  const loop = lua.instance('return function() local n = 0 for i = 1, 900 do n = n + i end return n end');
  const limits = { ...NO_LIMITS, instructions: 3000 };
  const request = { args: [], context: rootContext, pid: '', entryId: 'test:entry', limits };
  for (let i = 0; i < 20; i += 1) t.equal((await loop.call(request)).value, 405_450);
  const long = lua.instance('return function() for i = 1, 9000 do local n = i + 1 end end');
  // On a busy machine it gives way first, and fails later.
  const failing = (async () => long.call(request))();
  await t.rejects(failing, { message: 'limit exceeded: instructions 3000 in test:entry' });
  await call(loop);
});

test('an error that was caught does not switch the limits off', async (t) => {
  const { lua } = bench();
  const limits = { instructions: 100_000 };
  for (const caught of ['pcall(error)', 'xpcall(error, print)', 'pcall(pcall, error)', 'pcall(host.fail, "x")']) {
    const loop = 'for i = 1, 1e6 do local n = i end return "not ended"';
    await t.rejects(lua.run(`${caught} ${loop}`, { limits }), { message: /^limit exceeded: instructions/ }, caught);
  }
});

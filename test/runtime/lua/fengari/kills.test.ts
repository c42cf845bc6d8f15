import { test } from 'tap';
import { rootContext } from '../../../../runtime/context.ts';
import { CallError, canceled } from '../../../../runtime/errors.ts';
import { luaBench, NO_LIMITS } from '../../../harness/lua.ts';

/** Ways to wait for ever while catching everything. After the wait each notes that it went on. */
const WAITS: Readonly<Record<string, string>> = {
  pcall: 'pcall(host.sleep, 1e7); host.note()',
  nested: 'pcall(pcall, pcall, host.sleep, 1e7); host.note()',
  loop: 'while true do pcall(host.sleep, 1e7); host.note() end',
  xpcall: 'xpcall(function() host.sleep(1e7) end, function() host.note(); return 1 end); host.note()',
  coroutine:
    'local co = coroutine.create(function() pcall(host.sleep, 1e7); host.note() end); coroutine.resume(co); host.note()',
  wrap: 'pcall(coroutine.wrap(function() pcall(host.sleep, 1e7); host.note() end)); host.note()',
  spawned: 'coroutine.spawn(function() pcall(host.sleep, 1e7); host.note() end); pcall(host.sleep, 1e7); host.note()',
  channel: 'local c = channel.new(); pcall(c.receive, c); host.note()',
  metamethod:
    'local m = setmetatable({}, {__index = function() host.sleep(1e7) end}); pcall(function() return m.x end); host.note()',
  promise: 'pcall(host.never); host.note()',
};

const bench = () => {
  const notes: number[] = [];
  const lua = luaBench({ note: () => void notes.push(1), never: () => new Promise(() => {}) });
  return { lua, notes: () => notes.length };
};

test('a kill is caught by nobody, wherever the call waits', async (t) => {
  for (const [name, body] of Object.entries(WAITS)) {
    const { lua, notes } = bench();
    const abort = new AbortController();
    const call = lua.run(body, { context: rootContext.withSignal(abort.signal) });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort(canceled('client gone'));
    await t.rejects(call, { kind: 'Canceled', message: 'client gone' }, name);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(notes(), 0, `${name}: nothing runs afterwards`);
  }
});

test('the same bodies go on after a failure that is no kill', async (t) => {
  for (const [name, body] of Object.entries(WAITS)) {
    if (['loop', 'channel', 'promise'].includes(name)) continue;
    const { lua, notes } = bench();
    await lua.run(
      body.replaceAll('host.sleep(1e7)', 'host.failLater("x")').replaceAll('host.sleep, 1e7', 'host.failLater, "x"'),
    );
    t.ok(notes() > 0, name);
  }
});

test('a kill from inside a host function ends the call there', async (t) => {
  for (const body of [
    'pcall(host.kill); host.note()',
    'pcall(coroutine.wrap(function() pcall(host.kill); host.note() end)); host.note()',
    'pcall(table.sort, {2, 1}, function() pcall(host.kill); host.note() end); host.note()',
    'pcall(string.gsub, "a", "a", function() pcall(host.kill); host.note() end); host.note()',
  ]) {
    const notes: number[] = [];
    const lua = luaBench({
      note: () => void notes.push(1),
      kill: (thread) => thread.run.kill(new CallError('enough', { kind: 'Unavailable' })),
    });
    await t.rejects(lua.run(body), { kind: 'Unavailable', message: 'enough' }, body);
    t.same(notes, [], body);
  }
});

test('a call that is cancelled before it begins runs no line', async (t) => {
  const { lua, notes } = bench();
  const abort = new AbortController();
  abort.abort(canceled('too late'));
  await t.rejects(lua.run('host.note()', { context: rootContext.withSignal(abort.signal) }), { message: 'too late' });
  t.equal(notes(), 0);
  await lua.run('host.note()');
  t.equal(notes(), 1);
});

test('a killed instance is not used again, one that failed is', async (t) => {
  const { lua } = bench();
  const request = {
    args: [],
    context: rootContext,
    pid: 'p',
    entryId: 'a:b',
    limits: { instructions: 10_000, cpuMs: 0, resultBytes: 0 },
  };
  const spinning = lua.instance('return function() while true do end end');
  await t.rejects(async () => spinning.call(request), { message: /limit exceeded/ });
  t.equal(spinning.reusable, false);
  const failing = lua.instance('return function() error("x") end');
  await t.rejects(async () => failing.call(request), { message: /x/ });
  t.equal(failing.reusable, true);
});

test('no line of Lua runs after a kill, not even one that calls nothing', async (t) => {
  for (const how of [
    'pcall(host.kill)',
    'pcall(coroutine.wrap(function() pcall(host.kill); went = went + 1 end))',
    'pcall(table.sort, {2, 1}, function() pcall(host.kill); went = went + 1 end)',
    'pcall(string.gsub, "a", "a", function() pcall(host.kill); went = went + 1 end)',
  ]) {
    const lua = luaBench({ kill: (thread) => thread.run.kill(canceled('enough')) });
    const one = lua.instance(`went = 0; return function(go) if go then ${how}; went = went + 1 end; return went end`);
    const request = { context: rootContext, pid: 'p', entryId: 'a:b', limits: NO_LIMITS };
    await t.rejects(async () => one.call({ ...request, args: [true] }), { message: 'enough' }, how);
    t.match(await one.call({ ...request, args: [false] }), { value: 0 }, how);
  }
});

import { test } from 'tap';
import { LuaTable } from '../../../../runtime/lua/values.ts';
import { luaBench } from '../../../harness/lua.ts';
import { lua as luaFunction, surfaceBench } from '../../../services/surface-bench.ts';

const lua = luaBench();
const texts = async (body: string): Promise<string> => {
  const value = await lua.run(body);
  return value instanceof LuaTable ? value.sequence().map(String).join(' ') : String(value);
};
const DEADLOCK = 'deadlock: all coroutines blocked with no pending operations';

test('a yield of the only coroutine, with nobody to yield to, fails the call and says where', async (t) => {
  await t.rejects(lua.run('local x = 1\ncoroutine.yield(x)\nreturn x'), {
    kind: 'Internal',
    retryable: false,
    message: `${DEADLOCK}\n  chunk.lua:2: the main coroutine`,
    frames: [{ type: 'host' }, { source: 'chunk.lua', line: 2 }],
  });
  await t.rejects(lua.run('local function deep()\n\ncoroutine.yield()\nend\npcall(deep)'), {
    message: `${DEADLOCK}\n  chunk.lua:3: the main coroutine`,
  });
});

test('coroutines that only yield to each other: each with its line', async (t) => {
  await t.rejects(
    lua.run(`local done = false
      coroutine.spawn(function()
        while true do coroutine.yield() end
      end)
      coroutine.spawn(function()
        repeat coroutine.yield() until done
      end)
      while not done do coroutine.yield() end`),
    {
      kind: 'Internal',
      message:
        /^deadlock: all coroutines blocked with no pending operations\n {2}chunk.lua:8: the main coroutine(\n {2}chunk.lua:[36]: a spawned coroutine){2}$/,
    },
  );
});

test('a yield gives way to the others and goes on afterwards', async (t) => {
  t.equal(
    await texts(`local order = {}
      for _, name in ipairs{'b', 'c'} do
        coroutine.spawn(function() for i = 1, 3 do order[#order + 1] = name .. i; coroutine.yield() end end)
      end
      for i = 1, 3 do order[#order + 1] = 'a' .. i; coroutine.yield() end
      return order`),
    'a1 b1 c1 a2 b2 c2 a3 b3 c3',
  );
  t.equal(
    await texts(`coroutine.spawn(function() end)
      for i = 1, 20 do coroutine.yield() end
      return 'the others have ended'`),
    'the others have ended',
  );
});

test('work between yields is no deadlock, however long it lasts', async (t) => {
  t.equal(
    await texts(`local function sum(n) local s = 0; for i = 1, n do s = s + i end; return s end
      local left = 3000
      coroutine.spawn(function() while left > 0 do left = left - 1; sum(20); coroutine.yield() end end)
      while left > 0 do sum(20); coroutine.yield() end
      return left`),
    '0',
  );
});

test('who waits for the host, or asks it in between, is not stuck', async (t) => {
  t.equal(
    await texts(`local got
      coroutine.spawn(function() got = host.later('late') end)
      while not got do coroutine.yield() end
      return got`),
    'late',
  );
  t.equal(
    await texts(`local ch = channel.new()
      coroutine.spawn(function() for i = 1, 5 do coroutine.yield() end; ch:send('sent') end)
      return (ch:receive())`),
    'sent',
  );
  const bench = await surfaceBench(t, [
    luaFunction('app:quick', `host.sleep(20); return 'done'`),
    luaFunction(
      'app:polls',
      `local f = funcs.async('app:quick'); while not f:is_complete() do coroutine.yield() end; return f:result():data()`,
    ),
  ]);
  t.equal(await bench.call('app:polls'), 'done');
});

test('a process ends of it as a call does, and its instance serves nobody else', async (t) => {
  const bench = await surfaceBench(t, [
    { id: 'app:host', kind: 'process.host', lifecycle: { auto_start: true } },
    { ...luaFunction('app:stuck', `coroutine.yield()`), kind: 'process.lua', meta: { default_host: 'app:host' } },
    luaFunction('app:f', `if ... then coroutine.yield() end; n = (n or 0) + 1; return n`, {
      pool: { type: 'static', size: 1 },
    }),
  ]);
  await t.rejects(bench.call('app:stuck'), {
    kind: 'Internal',
    message: /^deadlock: .*\n {2}.*:1: the main coroutine$/,
  });
  t.equal(await bench.call('app:f', [false]), 1);
  t.equal(await bench.call('app:f', [false]), 2, 'the same instance');
  await t.rejects(bench.call('app:f', [true]), { message: /^deadlock: / });
  t.equal(await bench.call('app:f', [false]), 1, 'a new one');
  t.same(bench.rows('function_in_flight').slice(-1), ['function_id=app:f 0']);
});

test('a call that waits on a channel that nobody writes to is idle, not stuck', async (t) => {
  const bench = await surfaceBench(t, [
    luaFunction(
      'app:idle',
      `coroutine.spawn(function() channel.new():receive() end); host.note(1); channel.new():receive()`,
    ),
    luaFunction(
      'app:main',
      `local f = funcs.async('app:idle'); host.sleep(50); local c = f:is_complete(); f:cancel(); return c`,
    ),
  ]);
  t.equal(await bench.call('app:main'), false);
  t.same(bench.notes, [1]);
});

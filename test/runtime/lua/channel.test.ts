import { test } from 'tap';
import { NOTHING } from '../../../runtime/lua/engine.ts';
import { LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { luaBench } from '../../harness/lua.ts';

/** Runs a body that returns a list; its items. `log(...)` in it collects what is shown first. */
const list = async (body: string): Promise<readonly LuaValue[]> => {
  const value = await luaBench().run(body);
  return value instanceof LuaTable ? value.sequence() : [value];
};
const LOG = 'local out = {}; local function log(v) out[#out + 1] = tostring(v) end ';

test('channel.new: unbuffered for 0, nothing and negative; another type raises', async (t) => {
  for (const capacity of ['', '0', '-3']) {
    // An unbuffered send waits: with nobody to receive, the default of a select is taken.
    t.equal(
      await luaBench().run(`return channel.select { channel.new(${capacity}):case_send(1), default = true }.default`),
      true,
      `capacity ${capacity}`,
    );
  }
  t.equal(
    await luaBench().run('return channel.select { channel.new(1):case_send(1), default = true }.default'),
    undefined,
    'a buffer takes it',
  );
  t.match(await luaBench().run('return select(2, pcall(channel.new, "x"))'), /number expected/);
});

test('send: true when buffered or handed over; it waits while the buffer is full', async (t) => {
  t.same(
    await list(`${LOG}
      local ch = channel.new(2)
      coroutine.spawn(function() for i = 1, 4 do log("sent " .. i .. " " .. tostring(ch:send(i))) end end)
      host.sleep(1)
      log("waits")
      for i = 1, 4 do log(ch:receive()); host.sleep(0) end
      return out`),
    ['sent 1 true', 'sent 2 true', 'waits', '1', 'sent 3 true', '2', 'sent 4 true', '3', '4'],
  );
});

test('an unbuffered send completes when a receiver takes the value', async (t) => {
  t.same(
    await list(`${LOG}
      local ch = channel.new()
      coroutine.spawn(function() log("before"); ch:send("v"); log("after") end)
      host.sleep(1)
      log("receiving"); log(ch:receive()); host.sleep(1)
      return out`),
    ['before', 'receiving', 'v', 'after'],
  );
});

test('receive: value and true; nil that was sent is nil, true; after close and drain nil, false for ever', async (t) => {
  t.same(
    await list(`
      local ch = channel.new(3); ch:send(1); ch:send(nil); ch:close()
      local out = {}
      for i = 1, 4 do local v, ok = ch:receive(); out[i] = tostring(v) .. " " .. tostring(ok) end
      return out`),
    ['1 true', 'nil true', 'nil false', 'nil false'],
  );
});

test('close: a send raises, also inside pcall; a waiting sender gets nil, err; a second close is nothing', async (t) => {
  t.same(
    await list(`${LOG}
      local ch = channel.new()
      coroutine.spawn(function() local v, err = ch:send(1); log(v); log(err) end)
      host.sleep(1)
      log(select("#", ch:close())); ch:close()
      host.sleep(1)
      local ok, err = pcall(ch.send, ch, 2)
      log(ok); log(err:find("send on closed channel") ~= nil)
      return out`),
    ['0', 'nil', 'send on closed channel', 'false', 'true'],
  );
  await t.rejects(luaBench().run('local ch = channel.new(1); ch:close(); ch:send(1)'), {
    message: /send on closed channel/,
  });
});

test('close wakes every waiting receiver with nil, false, and selects with ok = false', async (t) => {
  t.same(
    await list(`${LOG}
      local ch, other = channel.new(), channel.new()
      for i = 1, 2 do coroutine.spawn(function() local v, ok = ch:receive(); log(i .. tostring(v) .. tostring(ok)) end) end
      coroutine.spawn(function()
        local r = channel.select { other:case_receive(), ch:case_receive() }
        log(r.channel == ch); log(r.value); log(r.ok); log(r.default)
      end)
      host.sleep(1); ch:close(); host.sleep(1)
      return out`),
    ['1nilfalse', '2nilfalse', 'true', 'nil', 'false', 'nil'],
  );
});

test('any Lua value is handed over by reference', async (t) => {
  t.equal(
    await luaBench().run(`
      local ch = channel.new(9)
      local list, f, co, inner = { 1 }, function() end, coroutine.create(print), channel.new()
      for _, v in ipairs { list, f, co, inner } do ch:send(v) end
      return ch:receive() == list and ch:receive() == f and ch:receive() == co and ch:receive() == inner`),
    true,
  );
});

test('values, waiting senders and waiting receivers are served in order', async (t) => {
  t.same(
    await list(`${LOG}
      local ch = channel.new(1)
      for i = 1, 4 do coroutine.spawn(function() ch:send(i) end) end
      host.sleep(1)
      for _ = 1, 4 do log(ch:receive()) end
      for i = 1, 3 do coroutine.spawn(function() log(i .. ":" .. ch:receive()) end) end
      host.sleep(1)
      for _, v in ipairs { "a", "b", "c" } do ch:send(v) end
      host.sleep(1)
      return out`),
    ['1', '2', '3', '4', '1:a', '2:b', '3:c'],
  );
});

test('a method on something else raises `channel expected`', async (t) => {
  t.match(await luaBench().run('return select(2, pcall(channel.new().send, {}, 1))'), /channel expected/);
  t.match(await luaBench().run('return select(2, pcall(channel.new().receive))'), /channel expected/);
});

test('select: the first ready case in array order, the four outcomes', async (t) => {
  t.same(
    await list(`${LOG}
      local function show(r) log(tostring(r.value) .. " " .. tostring(r.ok) .. " " .. tostring(r.default)) end
      local a, b, c = channel.new(1), channel.new(1), channel.new(1)
      a:send("a"); b:send("b")
      local r = channel.select { b:case_receive(), a:case_receive() }
      show(r); log(r.channel == b)
      r = channel.select { c:case_send("sent"), a:case_receive() }
      show(r); log(r.channel == c)
      show(channel.select { b:case_receive(), default = true })
      show(channel.select({ b:case_receive() }, true))
      b:close()
      show(channel.select { b:case_receive(), default = true })
      return out`),
    ['b true nil', 'true', 'sent true nil', 'true', 'nil true true', 'nil true true', 'nil false nil'],
  );
});

test('select: a send case on a closed channel is never ready, and does not raise', async (t) => {
  t.same(
    await list(`${LOG}
      local closed, open = channel.new(1), channel.new(1)
      closed:close()
      log(channel.select { closed:case_send(1), default = true }.default)
      coroutine.spawn(function() host.sleep(1); open:send("x") end)
      log(channel.select { closed:case_send(1), open:case_receive() }.value)
      return out`),
    ['true', 'x'],
  );
});

test('select: exactly one case takes effect, the others are withdrawn', async (t) => {
  t.same(
    await list(`${LOG}
      local a, b = channel.new(), channel.new()
      coroutine.spawn(function() log(channel.select { a:case_receive(), b:case_receive(), a:case_receive() }.value) end)
      host.sleep(1)
      a:send("first")
      log(channel.select { b:case_send("lost"), default = true }.default)
      host.sleep(1)
      return out`),
    ['true', 'first'],
  );
});

test('select: what is no case is ignored, a case may be used again, the same channel twice', async (t) => {
  t.same(
    await list(`${LOG}
      local ch = channel.new(3)
      local case = ch:case_receive()
      ch:send(1); ch:send(2)
      for _ = 1, 2 do log(channel.select { "x", 7, {}, case, case }.value) end
      return out`),
    ['1', '2'],
  );
  t.match(await luaBench().run('return select(2, pcall(channel.select, 1))'), /table expected/);
});

test('spawn: runs when the caller yields or ends; not a function raises; its error fails the call', async (t) => {
  t.same(
    await list(`${LOG}
      log(type(coroutine.spawn(function() log("spawned") end)))
      log("still here")
      host.sleep(1)
      return out`),
    ['thread', 'still here', 'spawned'],
  );
  t.equal(await luaBench().run('return (pcall(coroutine.spawn, 1))'), false);
  await t.rejects(luaBench().run('coroutine.spawn(function() error("inside") end); host.sleep(50)'), {
    message: /inside/,
  });
});

test('when main returns, what it spawned is dropped at once', async (t) => {
  const lua = luaBench();
  t.equal(await lua.run('coroutine.spawn(function() host.sleep(5); print("late") end); host.sleep(0); return 1'), 1);
  await new Promise((resolve) => setTimeout(resolve, 40));
  t.same(lua.printed, []);
  await lua.run('coroutine.spawn(function() host.sleep(1); print("in time") end); host.sleep(30)');
  t.same(lua.printed, ['in time'], 'while main runs, it is not');
});

test('workers share the values of a channel, each goes to one; close ends their loops', async (t) => {
  t.same(
    await list(`${LOG}
      local ch, done = channel.new(), channel.new(3)
      local got = {}
      for _ = 1, 3 do
        coroutine.spawn(function()
          while true do
            local v, ok = ch:receive()
            if not ok then break end
            got[#got + 1] = v
            host.sleep(0)
          end
          done:send(true)
        end)
      end
      for i = 1, 9 do ch:send(i) end
      ch:close()
      for _ = 1, 3 do done:receive() end
      table.sort(got)
      return got`),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test('a host yield in a coroutine of the user suspends the chain, and resume does not return early', async (t) => {
  t.same(
    await list(`${LOG}
      local ch = channel.new()
      coroutine.spawn(function() host.sleep(2); ch:send("late") end)
      local co = coroutine.create(function() local v = ch:receive(); log(v); coroutine.yield("mine"); log("again") end)
      log(select(2, coroutine.resume(co)))
      coroutine.resume(co)
      log(coroutine.status(co))
      return out`),
    ['late', 'mine', 'again', 'dead'],
  );
});

test('a channel takes from its feed when a coroutine wants a value, and not before', async (t) => {
  const waiting: string[] = ['first', 'second'];
  const takers: unknown[] = [];
  const lua = luaBench({ channel: () => [ch] });
  const ch = lua.engine.channel(0, {
    take: (thread) => {
      const value = waiting.shift();
      if (value === undefined) return NOTHING;
      takers.push(thread);
      return value;
    },
  });
  t.equal(await lua.run('local ch = host.channel(); return ch:receive()'), 'first');
  t.same(waiting, ['second'], 'what nobody wants stays where it is');
  t.equal(await lua.run('return channel.select({ host.channel():case_receive() }).value'), 'second');
  t.equal(await lua.run('return channel.select({ host.channel():case_receive(), default = true }).default'), true);
  const [one, two] = [lua.run('return host.channel():receive()'), lua.run('return host.channel():receive()')];
  waiting.push('third');
  ch.serve();
  t.equal(await one, 'third', 'who has waited longest gets it');
  ch.serve();
  waiting.push('fourth');
  ch.serve();
  t.equal(await two, 'fourth', 'who got nothing goes on waiting');
  t.equal(takers.length, 4);
});

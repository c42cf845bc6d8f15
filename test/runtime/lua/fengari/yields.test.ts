import { test } from 'tap';
import { LuaTable } from '../../../../runtime/lua/values.ts';
import { luaBench } from '../../../harness/lua.ts';

const lua = luaBench();
const texts = async (body: string): Promise<string> => {
  const value = await lua.run(body);
  return value instanceof LuaTable ? value.sequence().map(String).join(' ') : String(value);
};

test('a host yield in tail position: all results, through any number of tail calls', async (t) => {
  t.equal(
    await texts(
      'local function a(...) return host.later(...) end; local function b(...) return a(...) end; return {b(1, 2, 3)}',
    ),
    '1 2 3',
  );
  t.equal(
    await texts(
      'local function f(n) if n == 0 then return host.later("end") end; host.later(); return f(n - 1) end; return f(2000)',
    ),
    'end',
  );
  t.equal(await texts('return (select("#", host.later(nil, nil, nil)))'), '3');
  t.equal(await texts('return pcall(host.later, 7) and {pcall(host.later, 7)}'), 'true 7');
  t.equal(await texts('return {(function(...) return ..., host.later(9) end)(1, 2)}'), '1 9');
  t.equal(
    await texts('local m = setmetatable({}, {__call = function(_, v) return host.later(v) end}); return m(5)'),
    '5',
  );
});

test('an error after a yield in tail position still knows its line', async (t) => {
  const body =
    'local function f()\nhost.later()\nreturn host.failLater("gone")\nend\nlocal ok, e = pcall(f)\nreturn e:message()';
  t.equal(await texts(body), 'gone');
  await t.rejects(lua.run('local function f()\nhost.later()\nerror("boom")\nend\nreturn f()'), {
    message: 'chunk.lua:3: boom',
  });
});

test('host yields inside pcall and xpcall, nested, before and after errors', async (t) => {
  t.equal(
    await texts(
      'local ok, a, b = pcall(function() host.later(); local ok, e = pcall(function() host.later(); error("in", 0) end); host.later(); return e, "out" end); return {ok, a, b}',
    ),
    'true in out',
  );
  t.equal(await texts('return {xpcall(function(a) return host.later(a) end, print, 4)}'), 'true 4');
  t.equal(
    await texts('return {xpcall(function() host.later(); error("x", 0) end, function(e) return "handled " .. e end)}'),
    'false handled x',
  );
  t.equal(
    await texts('return {xpcall(function() host.failLater("late") end, function(e) return e:message() .. "!" end)}'),
    'false late!',
  );
  t.equal(
    await texts(
      'local function deep(n) if n == 0 then host.later(); error("bottom", 0) end; local _, e = pcall(deep, n - 1); host.later(); error(e, 0) end; return {pcall(deep, 100)}',
    ),
    'false bottom',
  );
});

test('host yields inside user coroutines keep apart from coroutine.yield', async (t) => {
  t.equal(
    await texts(`local out = {}
      local co = coroutine.create(function(a)
        local b = coroutine.yield(host.later(a .. 1)); local c = host.later(b .. 2)
        local ok, d = pcall(function() return coroutine.yield(c) end); error(host.later(d .. 3), 0)
      end)
      for _, v in ipairs{'a', 'b', 'c', 'd'} do local ok, r = coroutine.resume(co, v); out[#out + 1] = tostring(ok) .. ':' .. tostring(r) end
      out[#out + 1] = coroutine.status(co); return out`),
    'true:a1 true:b2 false:c3 false:cannot resume dead coroutine dead',
  );
  t.equal(
    await texts(`local other; local co = coroutine.create(function() host.sleep(20); return 'mine' end)
      coroutine.spawn(function() other = {coroutine.resume(co)} end)
      local ok, v = coroutine.resume(co); host.sleep(1); return {ok, v, other and tostring(other[1]) or 'not yet'}`),
    'true mine false',
    'one that waits for the host is nobody else’s to resume',
  );
  t.equal(
    await texts(`local a, b; a = coroutine.wrap(function() for i = 1, 3 do host.later(); coroutine.yield(i) end end)
      b = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(a() * 10) end end)
      return {b(), b(), b()}`),
    '10 20 30',
  );
  t.equal(
    await texts('local co = coroutine.wrap(function() host.later(); error("x", 0) end); return {pcall(co)}'),
    'false x',
  );
});

test('host yields inside iterators and metamethods', async (t) => {
  const checks: [string, string][] = [
    [
      'local s = 0; for i in function(_, i) i = (i or 0) + 1; host.later(); if i <= 3 then return i end end do s = s + i end; return s',
      '6',
    ],
    [
      'local s = ""; for k, v in (function(t) return function(_, k) host.later(); return next(t, k) end end)({x = 1}) do s = s .. k .. v end; return s',
      'x1',
    ],
    [
      'local s = 0; local m = setmetatable({}, {__pairs = function() return function(_, k) host.later(); if not k then return 1, 5 end end end}); for k, v in pairs(m) do s = s + v end; return s',
      '5',
    ],
    [
      'local s = 0; for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(host.later(i)) end end) do for w in coroutine.wrap(function() coroutine.yield(host.later(v * 10)) end) do s = s + w end end; return s',
      '60',
    ],
    [
      'local mt = {}; for _, e in ipairs{"add", "sub", "mul", "div", "unm", "concat", "len", "index", "call"} do mt["__" .. e] = function() return host.later(e) end end; local m = setmetatable({}, mt); return {m + 1, 1 - m, m * 2, m / 2, -m, m .. "x", #m, m.field, m()}',
      'add sub mul div unm concat len index call',
    ],
    [
      'local a = setmetatable({}, {__lt = function() return host.later(true) end, __le = function() return host.later(false) end, __eq = function() return host.later(true) end}); local b = setmetatable({}, getmetatable(a)); return {a < b, a <= b, a == b}',
      'true false true',
    ],
    [
      'local log; local m = setmetatable({}, {__newindex = function(_, k, v) host.later(); log = k .. v end}); m.a = 1; return log',
      'a1',
    ],
    ['local s = 0; for w in ("1 2 3"):gmatch("%d") do s = s + host.later(w) end; return s', '6'],
  ];
  for (const [body, expected] of checks) t.equal(await texts(body), expected, body);
});

test('callbacks that cannot wait say so, and work when nothing waits', async (t) => {
  for (const body of [
    'table.sort({3, 1, 2}, function(a, b) host.later(); return a < b end)',
    'return (("a"):gsub("a", function() return host.later("b") end))',
    'return tostring(setmetatable({}, {__tostring = function() return host.later("x") end}))',
  ]) {
    await t.rejects(lua.run(body), { message: /across a JS-call boundary: 'later' may wait/ }, body);
    const now = body.replace('host.later(); ', 'host.now(); ').replaceAll('host.later(', 'host.now(');
    await t.resolves(lua.run(now), now);
    await t.rejects(lua.run(`local co = coroutine.wrap(function() ${body} end); co()`), {
      message: /JS-call boundary/,
    });
  }
  t.equal(
    await texts('local ok = pcall(table.sort, {2, 1}, function() host.later() end); return host.later(ok)'),
    'false',
    'and the call goes on',
  );
});

import { test } from 'tap';
import { rootContext } from '../../../../runtime/context.ts';
import { luaBench, NO_LIMITS } from '../../../harness/lua.ts';

/** What one turn of a loop does, after what is prepared once: some milliseconds within a few instructions. */
const LONG_STEPS: Readonly<Record<string, readonly [prepared: string, step: string]>> = {
  'table.sort': ['local t = {}; for i = 1, 2e4 do t[i] = i end', 'table.sort(t)'],
  'table.concat': ['local t = {}; for i = 1, 1e5 do t[i] = "x" end', 'table.concat(t)'],
  'table.insert in front': ['local t = {}; for i = 1, 1e5 do t[i] = i end', 'table.insert(t, 1, 0)'],
  'table.remove in front': ['local t = {}; for i = 1, 1e5 do t[i] = i end', 'table.remove(t, 1)'],
  'table.move': ['local t = {}; for i = 1, 1e5 do t[i] = i end', 'table.move(t, 1, 1e5, 2)'],
  unpack: ['local t = {}; for i = 1, 1e5 do t[i] = i end', 'select("#", unpack(t))'],
  'string.upper': ['local s = ("x"):rep(1e6)', 's:upper()'],
  'string.sub': ['local s = ("x"):rep(1e7) .. "\\xff"', 's:sub(2)'],
  'string.format': ['local s = ("x"):rep(1e7) .. "\\xff"', 'string.format("%s", s)'],
  'string.rep': ['', '("x"):rep(3e7)'],
  'a plain search': ['local s = ("x"):rep(3e7)', 's:find("y", 1, true)'],
  'string.find': ['', 'pcall(string.find, ("a"):rep(30), ("a*"):rep(15) .. "b")'],
  'string.gmatch': ['local s = ("x"):rep(1e5)', 'for _ in s:gmatch("y") do end'],
  'string.gsub': ['local s = ("x"):rep(1e5)', 's:gsub("x", "y")'],
  'a coroutine that only searches': ['local s = ("x"):rep(1e5)', 'coroutine.wrap(string.gsub)(s, "x", "y")'],
  'utf8.len': ['local s = ("x"):rep(1e6)', 'utf8.len(s)'],
  tonumber: ['local s = ("1"):rep(1e6)', 'tonumber(s)'],
  'a concatenation': ['local s = ("x"):rep(3e6) .. "\\xff"', 'local _ = s .. s'],
  'a comparison': ['local a, b = ("x"):rep(3e6) .. 1, ("x"):rep(3e6) .. 2', 'local _ = a < b, a <= b'],
  'a host function': ['', 'host.spin()'],
};

test('rule 58: time counts also where it goes into single steps that take long', async (t) => {
  for (const [name, [prepared, step]] of Object.entries(LONG_STEPS)) {
    const lua = luaBench({
      spin: () => {
        for (const end = performance.now() + 3; performance.now() < end; );
        return [];
      },
    });
    const body = `while true do n = n + 1; pcall(function() ${step} end) end`;
    const one = lua.instance(`${prepared}; n = 0; return function(go) if go then ${body} end; return n end`);
    const request = { context: rootContext, pid: 'p', entryId: 'a:b', limits: { ...NO_LIMITS, cpuMs: 20 } };
    await t.rejects(async () => one.call({ ...request, args: [true] }), {
      message: 'limit exceeded: cpu_ms 20 in a:b',
    });
    const { value } = await one.call({ ...request, args: [false] });
    t.ok(Number(value) < 60, `${name}: ${value} turns`);
  }
});

test('rule 58: instructions of many short coroutines count together', async (t) => {
  const lua = luaBench();
  const short = 'function() for j = 1, 300 do end end';
  for (const body of [
    `for i = 1, 200 do coroutine.wrap(${short})() end`,
    `for i = 1, 200 do pcall(coroutine.wrap(function() for j = 1, 300 do end; error("x") end)) end`,
    `for i = 1, 200 do coroutine.spawn(${short}) end; coroutine.yield(); for i = 1, 1000 do end`,
  ]) {
    await t.rejects(lua.run(body, { limits: { instructions: 10_000 } }), { message: /instructions 10000/ }, body);
    await t.resolves(lua.run(body.replaceAll('200', '20'), { limits: { instructions: 10_000 } }), body);
  }
});

test('looks at the budget do not count as instructions', async (t) => {
  const lua = luaBench();
  const body = 'local s, n = ("x"):rep(5000), 0; for i = 1, 200 do n = n + #s:upper() end; return n';
  t.equal(await lua.run(body, { limits: { instructions: 10_000 } }), 1_000_000);
  await t.rejects(lua.run(body.replace('200', '20000'), { limits: { instructions: 10_000 } }), {
    message: /instructions 10000/,
  });
});

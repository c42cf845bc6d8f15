import { createRequire } from 'node:module';
import { test } from 'tap';
import { loadFengari } from '../../../../runtime/lua/fengari/load.ts';
import { PATCHES } from '../../../../runtime/lua/fengari/patches.ts';
import { rawState } from './raw-state.ts';

test('a patch that does not match ends the start and names file, pattern and version', async (t) => {
  const broken = { file: 'lvm.js', pattern: 'no such text', replacement: '' };
  t.throws(() => loadFengari([...PATCHES, broken]), {
    message: /fengari 0\.1\.5.*lvm\.js.*occurs 0 times.*"no such text"/,
  });
  const twice = { file: 'lapi.js', pattern: 'ltable.luaH_setfrom(L, o.value, k, v);', replacement: '' };
  t.throws(() => loadFengari([twice]), { message: /occurs 2 times instead of 1/ });
  const unknown = { file: 'lnothing.js', pattern: 'x', replacement: '' };
  t.throws(() => loadFengari([unknown]), { message: /lnothing\.js.*is not loaded/ });
  t.doesNotThrow(() => loadFengari(PATCHES), 'the patches as they are fit');
});

test("the process's own fengari stays as it was published", async (t) => {
  const own = createRequire(import.meta.url)('fengari');
  const before = own.lua.lua_pushinteger;
  const { fengari, runAsIs } = rawState();
  t.not(fengari.lua, own.lua);
  t.equal(own.lua.lua_pushinteger, before);
  const L = own.lauxlib.luaL_newstate();
  own.lauxlib.luaL_dostring(L, own.to_luastring('return 1000000000 * 5'));
  t.equal(own.lua.lua_tojsstring(L, -1), '705032704', 'unpatched fengari wraps');
  t.same(runAsIs('return 1000000000 * 5').values, ['5000000000'], 'ours does not');
});

test('rule 57: integers of the virtual machine do not wrap', async (t) => {
  const { runAsIs } = rawState();
  const is = (source: string, ...expected: string[]): void => {
    t.same(runAsIs(`return ${source}`), { values: expected }, source);
  };
  is('1700000000*1000', '1700000000000');
  is('2147483647 + 1, 2147483647 - -1, -2147483648 - 1', '2147483648', '2147483648', '-2147483649');
  is('-(-2147483647 - 1)', '2147483648');
  is('#("x"):rep(65536) * #("x"):rep(65536)', '4294967296');
  is('(-2147483647 - 1) // -1, 7 // 2, -7 // 2, 7 % -3, -7 % 3', '2147483648', '3', '-4', '-2', '2');
  is('7 // 0, -7 // 0, 7 % 0', 'inf', '-inf', 'nan');
  is(
    '"2147483647" + 1, "0xffffffff" + 0, tonumber("0x1fffffffffffff")',
    '2147483648',
    '4294967295',
    '9007199254740991',
  );
  is('9007199254740991 + 0, 9007199254740993', '9007199254740991', '9.007199254741e+15');
  // With variables, so that the virtual machine computes and not the compiler.
  const computed =
    'local a, b, m = 2147483647, 1, -2147483647 - 1 return a + b, m - b, a * 2, -m, m // -b, a % m, 7 % -3';
  t.same(runAsIs(computed).values, ['2147483648', '-2147483649', '4294967294', '2147483648', '2147483648', '-1', '-2']);
  // `~` gives fengari's integers also below zero.
  const negative = 'local a, b = 2147483647, 1 local m = ~a return m, m - b, -m, m * m, m // ~0, m % ~0, m + m';
  t.same(runAsIs(negative).values, [
    '-2147483648',
    '-2147483649',
    '2147483648',
    '4.6116860184274e+18',
    '2147483648',
    '0',
    '-4294967296',
  ]);
  t.same(
    runAsIs('local n = 0 for i = 2147483645, 2147483650 do n = n + 1 end return n'),
    { values: ['6'] },
    'a loop counts past 2^31',
  );
  t.same(runAsIs('local n = 0 for i = #"abc", 1, -1 do n = n + i end return n').values, ['6']);
  t.same(runAsIs('for i = 5, 4 do return i end return "none"').values, ['none']);
});

test('bitwise operators take integral numbers up to 2^53 and act as on 64 bits', async (t) => {
  const { runAsIs } = rawState();
  const is = (source: string, ...expected: string[]): void => {
    t.same(runAsIs(`return ${source}`), { values: expected }, source);
  };
  is('0xFFFFFFFF & 0xFF, 0xFFFFFFFF & 0xFFFFFFFF, 0xFFFFFFFF | 1, 5 ~ 3', '255', '4294967295', '4294967295', '6');
  is('~5.0, ~0, -1 & 0xFFFFFFFFFF', '-6', '-1', '1099511627775');
  is(
    '1 << 31, 1 << 40, 1 << 64, 2^40 >> 8, -1 >> 60, 1 << -1',
    '2147483648',
    '1099511627776',
    '0',
    '4294967296',
    '15',
    '0',
  );
  const x = '(2^53 - 1)';
  is(`${x} & ${x}, ${x} ~ ${x}`, '9007199254740991', '0');
  t.match(runAsIs('return 1.5 & 1').error, /number has no integer representation/);
  t.same(runAsIs('local a, b = 2^40 + 5, 7 return a & b, a | b, a ~ b').values, [
    '5',
    '1099511627783',
    '1099511627778',
  ]);
});

test('rule 57: numbers print as Lua does, integral ones without fraction', async (t) => {
  const { runAsIs } = rawState();
  const is = (source: string, ...expected: string[]): void => {
    t.same(runAsIs(`return ${source}`), { values: expected }, source);
  };
  is(
    'tostring(5.0), "n=" .. 10.0, 2^31, 2^53 - 1, 1e15, -0.0',
    '5',
    'n=10',
    '2147483648',
    '9007199254740991',
    '1000000000000000',
    '0',
  );
  is('2^53, 1e100, 0.1, 1/3', '9.007199254741e+15', '1e+100', '0.1', '0.33333333333333');
  is('1/0, -1/0, 0/0', 'inf', '-inf', 'nan');
});

test('tables that are marked read-only cannot be changed in any way', async (t) => {
  const { run } = rawState();
  const text = 'attempt to modify a read-only table';
  t.equal(run('string.x = 1').error, `chunk:1: ${text}`);
  t.equal(run('string["rep"] = nil').error, `chunk:1: ${text}`);
  for (const change of ['rawset(math, "x", 1)', 'table.insert(string, 1)', 'setmetatable(os, {})']) {
    t.match(run(change).error, text, change);
  }
  t.same(run('local t = {} t.x = 1 rawset(t, "y", 2) return t.x, t.y, math.x').values, ['1', '2', 'nil'], 'others can');
});

test('strings end at 256 MiB', async (t) => {
  const { run } = rawState();
  t.match(run('local s = ("x"):rep(2^27) return s .. s .. s').error, 'string length overflow');
  t.match(run('local s = ("x"):rep(2^27) return table.concat({s, s, s})').error, 'resulting string too large');
  t.match(run('return ("x"):rep(1e10)').error, 'resulting string too large');
  t.same(run('local s = ("x"):rep(2^20) return #(s .. s)').values, ['2097152']);
});

test('string.find with fifteen `a*` on thirty `a` ends with an error in bounded time', async (t) => {
  const { run } = rawState();
  const begin = performance.now();
  t.match(run('return ("a"):rep(30):find(("a*"):rep(15) .. "b")').error, 'pattern too complex');
  t.match(run('return ("a"):rep(30):gsub(("a*"):rep(15) .. "b", "")').error, 'pattern too complex');
  t.match(run('for x in ("a"):rep(30):gmatch(("a*"):rep(15) .. "b") do end').error, 'pattern too complex');
  t.match(run('return ("a"):rep(1e6):find(".-b")').error, 'pattern too complex');
  t.match(run('return ("("):rep(1e6):find("%b()")').error, 'pattern too complex');
  t.match(run('return ("a"):rep(1e5):find("[" .. ("b"):rep(1e5) .. "]")').error, 'pattern too complex');
  t.ok(performance.now() - begin < 40_000, 'six times about ten million steps');
  t.same(run('return ("a"):rep(1e6):find("^a+$")').values, ['1', '1000000'], 'long subjects are no problem');
  t.same(run('local s, n = ("a b "):rep(2e5):gsub("%s+", "_") return n').values, ['400000']);
});

test('plain searches take linear time', async (t) => {
  const { run } = rawState();
  const begin = performance.now();
  t.same(run('return ("a"):rep(1e6):find(("a"):rep(5e5) .. "b", 1, true)').values, ['nil']);
  // Looked for from its end, and mismatching in its middle, this one takes the native search minutes.
  t.same(run('local a = ("a"):rep(2.5e5) return (a .. a .. a .. a):find(a .. "b" .. a, 1, true)').values, ['nil']);
  t.ok(performance.now() - begin < 5000);
  t.same(run('return (("a"):rep(100) .. "b"):find(("a"):rep(80) .. "b", 1, true)').values, ['21', '101']);
  t.same(run('return ("abcabd"):find("abd", 1, true), ("abc"):find("", 2, true), ("abc"):find("c", 4, true)').values, [
    '4',
    '2',
    'nil',
  ]);
});

test('a match that ends at the very start is one', async (t) => {
  const { run } = rawState();
  t.same(run('return ("abc"):find("b*")').values, ['1', '0']);
  t.same(run('return ("ab"):find("a*%f[a]")').values, ['1', '0'], 'after giving back what it took');
  t.same(run('return ("abc"):gsub("x*", "-")').values, ['-a-b-c-', '4']);
});

test('positions name long paths whole', async (t) => {
  const { fengari, L } = rawState();
  const { lua, lauxlib, to_luastring } = fengari;
  const path = `${'folder/'.repeat(20)}a.lua`;
  lauxlib.luaL_loadbuffer(L, to_luastring('error("x")'), 10, to_luastring(`@${path}`));
  lua.lua_pcall(L, 0, 0, 0);
  t.equal(lua.lua_tojsstring(L, -1), `${path}:1: x`);
});

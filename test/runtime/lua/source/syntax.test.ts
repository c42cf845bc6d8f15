import { test } from 'tap';
import { LuaSyntaxError } from '../../../../runtime/lua/engine.ts';
import { prepareSource } from '../../../../runtime/lua/source/prepare.ts';
import { rawState } from '../fengari/raw-state.ts';

const { runAsIs } = rawState();

test('syntax errors carry path, line, column and the words of Lua', async (t) => {
  const cases: [source: string, line: number, column: number, message: string][] = [
    ['local function f()\n  if x then\n    return 1\n', 4, 1, "'end' expected (to close 'if' at line 2) near <eof>"],
    ['local f = function()\n\nx =', 3, 4, 'unexpected symbol near <eof>'],
    ['function f() return 1', 1, 22, "'end' expected near <eof>"],
    ['f(\n1, 2', 2, 5, "')' expected (to close '(' at line 1) near <eof>"],
    ['x = {1,\n2', 2, 2, "'}' expected (to close '{' at line 1) near <eof>"],
    ['repeat\nx = 1\nend', 3, 1, "'until' expected (to close 'repeat' at line 1) near 'end'"],
    ['x = = 2', 1, 5, "unexpected symbol near '='"],
    ['x = }', 1, 5, "unexpected symbol near '}'"],
    ['x y', 1, 3, "syntax error near 'y'"],
    ['x.y', 1, 4, 'syntax error near <eof>'],
    ['f() = 1', 1, 5, "syntax error near '='"],
    ['(x), y = 1', 1, 4, "syntax error near ','"],
    ['if x the', 1, 6, "'then' expected near 'the'"],
    ['if a != b then end', 1, 7, "'then' expected near '='"],
    ['for x do end', 1, 7, "'=' or 'in' expected near 'do'"],
    ['for x = 1 do end', 1, 11, "',' expected near 'do'"],
    ['local 5', 1, 7, "<name> expected near '5'"],
    ['a.b:c = 5', 1, 7, "function arguments expected near '='"],
    ['return 1 x', 1, 10, "<eof> expected near 'x'"],
    ['end', 1, 1, "<eof> expected near 'end'"],
    ['x = 1..2', 1, 5, "malformed number near '1..2'"],
    ['x = 0x', 1, 5, "malformed number near '0x'"],
    ['x = 3abc', 1, 5, "malformed number near '3abc'"],
    ['x = "abc\ny', 1, 5, "unfinished string near '\"abc'"],
    ['x = "abc', 1, 9, 'unfinished string near <eof>'],
    ['x = [==[ abc ]]', 1, 16, 'unfinished long string (starting at line 1) near <eof>'],
    ['\n--[[ abc', 2, 9, 'unfinished long comment (starting at line 2) near <eof>'],
    ['x = "\\q"', 1, 6, "invalid escape sequence near '\"\\q'"],
    ['x = "\\300"', 1, 6, 'decimal escape too large near \'"\\300"\''],
    ['x = "\\xg0"', 1, 6, "hexadecimal digit expected near '\"\\xg'"],
    ['x = "\\u{110000}"', 1, 6, "UTF-8 value too large near '\"\\u{110000'"],
    ['x = é', 1, 5, "unexpected symbol near 'é'"],
    ['x = y ? z', 1, 7, "unexpected symbol near '?'"],
    ['local x: = 5', 1, 10, "type expected near '='"],
    ['local x: {a: = 5', 1, 14, "type expected near '='"],
    ['f(..., 1) function g(..., a) end', 1, 25, "')' expected near ','"],
  ];
  for (const [source, line, column, message] of cases) {
    try {
      prepareSource(source, 'app/a.lua');
      t.fail(`no error: ${source}`);
    } catch (error) {
      t.ok(error instanceof LuaSyntaxError, source);
      const { path, line: atLine, column: atColumn, message: text } = error as LuaSyntaxError;
      t.same(
        { path, line: atLine, column: atColumn, text },
        { path: 'app/a.lua', line, column, text: message },
        source,
      );
    }
  }
});

test('the whole grammar of Lua 5.3 passes, and the compiler agrees', async (t) => {
  const sources = [
    'local a, b',
    'do local x; end;;; while x do break end',
    'repeat local y = x until y or not x',
    'if a then elseif b then else end',
    'for i = a, b, c do end for k, v, w in f, g, h do end',
    'local function f(...) local a, b = ..., select("#", ...) return f(...), (...) end',
    'function a.b.c:d() self.x = y end',
    'f"x" f[[x]] f{} f{a = b, [c] = d, e; f} a:b"x":c{}:d()',
    'return a + b - c * d / e % f ^ g // h .. i',
    'return a & b | c ~ d << e >> ~f',
    'return a == b, a ~= b, a < b, a <= b, a > b, a >= b, not a, #b, - -c',
    'return a and b or c',
    'goto done do goto done end ::done:: return',
    'return function() return end, {function() end}',
    'a.b["c"].d, e = f, g',
    '(f)() (g or h):i() ("x"):rep(y)',
    'local t = {{}, {{}}, [{}] = {}}',
    'return;',
    '',
    'x = -y ^ -z x = "a" .. "b" .. "c" -- comment',
    '--[==[ long\n]] ]==] x = y',
    'return [[\n]]',
  ];
  for (const source of sources) {
    const prepared = prepareSource(source, 'chunk').source;
    t.equal(prepared, source, source);
    t.notMatch(
      runAsIs(`if false then return function(...) ${source}\nend end`).error ?? '',
      /expected|unexpected/,
      source,
    );
  }
});

test('nesting is bounded, chains are not', async (t) => {
  const wrap = (open: string, inner: string, close: string, levels: number): string =>
    `x = ${open.repeat(levels)}${inner}${close.repeat(levels)}`;
  t.doesNotThrow(() => prepareSource(wrap('(', 'y', ')', 200), 'chunk'));
  t.doesNotThrow(() => prepareSource(wrap('{', '', '}', 100), 'chunk'));
  t.throws(() => prepareSource(wrap('(', 'y', ')', 5000), 'chunk'), { message: /chunk has too many syntax levels/ });
  t.throws(() => prepareSource(`local x: ${'{'.repeat(5000)}`, 'chunk'), { message: /too many syntax levels/ });
  t.throws(() => prepareSource('do '.repeat(5000), 'chunk'), { message: /too many syntax levels/ });
  t.doesNotThrow(() => prepareSource(`x = ${'a .. '.repeat(5000)}b`, 'chunk'));
  t.doesNotThrow(() => prepareSource(`x = ${'not - '.repeat(5000)}b`, 'chunk'));
  t.doesNotThrow(() => prepareSource(`f${'()'.repeat(5000)}`, 'chunk'));
});

test('long files take time in proportion to their length', async (t) => {
  const file = (lines: number): string => {
    let out = '';
    for (let i = 0; i < lines; i += 1) out += `local v${i}: number = f(${i}, t[1].x) :: any -- note ${i}\n`;
    return out;
  };
  prepareSource(file(2000), 'warm up');
  const time = (source: string): number => {
    let best = Infinity;
    for (let round = 0; round < 2; round += 1) {
      const begin = performance.now();
      prepareSource(source, 'chunk');
      best = Math.min(best, performance.now() - begin);
    }
    return best;
  };
  t.ok(time(file(5000)) < 1600, '5,000 lines, 16 times the aim of 100 ms');
  t.ok(time(file(20_000)) < 16 * 4 * Math.max(time(file(5000)), 1), 'no worse than linear');
});

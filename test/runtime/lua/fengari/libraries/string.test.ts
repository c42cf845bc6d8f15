import { test } from 'tap';
import { rawState } from '../raw-state.ts';

const { run } = rawState();

test('%d and its kin', async (t) => {
  const is = (format: string, argument: string, expected: string): void => {
    t.same(run(`return string.format("${format}", ${argument})`).values, [expected], `${format} ${argument}`);
  };
  is('%d', '3.0', '3');
  is('%d', '"10"', '10');
  is('[%5d|%-5d|%05d|%+d|% d]', '42, 42, -42, 5, 5', '[   42|42   |-0042|+5| 5]');
  is('[%5.3d|%.0d]', '7, 0', '[  007|]');
  is('%i %u', '7, 8', '7 8');
  is('%x %X %#x %o %#o', '255, 255, 255, 8, 8', 'ff FF 0xff 10 010');
  is('%x', '-1', 'ffffffffffffffff');
  is('%c%c', '76, 117', 'Lu');
});

test('rule 57: %d and %x are exact around 2^31 and up to 2^53, and refuse what is not integral', async (t) => {
  t.same(run('return ("%d %d %d"):format(2^31 - 1, 2^31, -2^31 - 1)').values, ['2147483647 2147483648 -2147483649']);
  t.same(run('return ("%d %x"):format(2^53 - 1, 2^53 - 1)').values, ['9007199254740991 1fffffffffffff']);
  t.equal(
    run('return ("%d"):format(3.5)').error,
    "chunk:1: bad argument #1 to 'format' (number has no integer representation)",
  );
  t.match(run('return string.format("%x", 2^60)').error, 'number has no integer representation');
  t.match(run('return string.format("%d", 0/0)').error, 'number has no integer representation');
  t.match(run('return string.format("%d", "x")').error, 'number expected, got string');
});

test('%e, %f, %g and %a', async (t) => {
  const is = (format: string, argument: string, expected: string): void => {
    t.same(run(`return string.format("${format}", ${argument})`).values, [expected], `${format} ${argument}`);
  };
  is('%.0f %.0f %.2f %5.1f|%-6.1f|%06.1f', '0.5, 1.5, 1.005, 3.14159, 2, -2.5', '0 2 1.00   3.1|2.0   |-002.5');
  is('%f %F', '1e22, 1', '10000000000000000000000.000000 1.000000');
  is('%e %.0e %E', '12345.678, 1, 1e-10', '1.234568e+04 1e+00 1.000000E-10');
  is('%g %g %g %G %.3g %#g', '1e20, 0.0001, 1e-5, 1e-10, 1234.5, 1', '1e+20 0.0001 1e-05 1E-10 1.23e+03 1.00000');
  is('%g %g %f [%05g] %G', '1/0, -1/0, 0/0, 1/0, 1/0', 'inf -inf nan [  inf] INF');
  is('%a %a %.3a %A %a', '1.5, 0, 0.1, 255.5, -1', '0x1.8p+0 0x0p+0 0x1.99ap-4 0X1.FFP+7 -0x1p+0');
  is('%.0f', '-0.0', '-0');
});

test('%s and %q', async (t) => {
  t.same(run('return string.format("[%5s|%-5s|%.2s|%s %s %s]", "ab", "ab", "abc", nil, true, 5)').values, [
    '[   ab|ab   |ab|nil true 5]',
  ]);
  t.same(run('return string.format("%s", setmetatable({}, {__tostring = function() return "me" end}))').values, ['me']);
  t.same(run('return string.format("%q", "a\\n\\"\\\\\\0b\\0001")').values, ['"a\\\n\\"\\\\\\0b\\0001"']);
  t.same(run('return string.format("%q %q %q %q %q", 5, 0.5, 1/0, nil, true)').values, ['5 0x1p-1 1e9999 nil true']);
  t.match(run('return string.format("%q", {})').error, 'value has no literal form');
  t.same(run('return string.format("100%%")').values, ['100%']);
  t.same(run('return #string.format("%s", "\\xff\\0\\xfe"), string.format("%3s", "é")').values, ['3', ' é'], 'bytes');
});

test('faults of formats', async (t) => {
  t.match(run('return string.format("%d")').error, "bad argument #2 to 'format' (no value)");
  t.match(run('return string.format("%y", 1)').error, "invalid option '%y' to 'format'");
  t.match(run('return string.format("%", 1)').error, "invalid option '%' to 'format'");
  t.match(run('return string.format("%123d", 1)').error, 'width or precision too long');
  t.match(run('return string.format("%.123f", 1)').error, 'width or precision too long');
  t.match(run('return string.format("%------d", 1)').error, 'repeated flags');
});

test('rep', async (t) => {
  t.same(run('return ("x"):rep(3, ","), ("ab"):rep(3), ("x"):rep(0), ("x"):rep(-1), ("x"):rep(1, "--")').values, [
    'x,x,x',
    'ababab',
    '',
    '',
    'x',
  ]);
  t.same(run('return (""):rep(1e15), ("ab"):rep(2, "xyz"), #("abc"):rep(1000, "-")').values, ['', 'abxyzab', '3999']);
  t.match(run('return ("x"):rep(1e300)').error, 'resulting string too large');
  t.match(run('return ("x"):rep("y")').error, 'number expected, got string');
});

test('functions that take a subject accept an error value', async (t) => {
  t.same(run('return string.find(failure, "refused")').values, ['12', '18']);
  t.same(run('return string.match(failure, "^%a+"), string.len(failure), string.upper(failure)').values, [
    'connection',
    '18',
    'CONNECTION REFUSED',
  ]);
  t.same(run('return string.sub(failure, 1, 4), string.format(failure), (string.gsub(failure, "c.-n ", ""))').values, [
    'conn',
    'connection refused',
    'refused',
  ]);
  t.match(run('return string.find({}, "x")').error, 'string expected, got table');
});

test('positions may be any integral number', async (t) => {
  t.same(run('return ("abc"):sub(2, math.maxinteger), ("abc"):sub(-2^40, 2), ("abc"):find("b", 2^40)').values, [
    'bc',
    'ab',
    'nil',
  ]);
  t.match(run('return ("abc"):sub(1.5)').error, 'number has no integer representation');
});

test('the metatable of strings cannot be reached', async (t) => {
  t.same(run('return getmetatable("")').values, ['false']);
  t.same(run('return ("x"):upper(), #"abc", ("x").nothing').values, ['X', '3', 'nil']);
});

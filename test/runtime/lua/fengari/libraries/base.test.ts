import { test } from 'tap';
import { NOW, rawState } from '../raw-state.ts';

const { run } = rawState();

test('what loads code or reaches the system is absent', async (t) => {
  const absent = [
    'load',
    'loadstring',
    'loadfile',
    'dofile',
    'collectgarbage',
    'module',
    'newproxy',
    'getfenv',
    'setfenv',
    'io',
    'debug',
    'string.dump',
    'os.execute',
    'os.exit',
    'os.getenv',
    'os.remove',
    'os.rename',
    'os.tmpname',
    'os.setlocale',
    'fengari',
    'print',
    'require',
  ];
  for (const name of absent) t.same(run(`return ${name}`).values, ['nil'], name);
  const present = [
    'assert',
    'error',
    'pcall',
    'xpcall',
    'select',
    'type',
    'tostring',
    'tonumber',
    'pairs',
    'ipairs',
    'next',
    'rawget',
    'rawset',
    'rawequal',
    'setmetatable',
    'getmetatable',
    'unpack',
    'table.unpack',
    'table.create',
    'math.ult',
    'utf8.char',
  ];
  for (const name of present) t.same(run(`return type(${name})`).values, ['function'], name);
});

test('tonumber', async (t) => {
  const is = (source: string, ...expected: string[]): void => {
    t.same(run(`return ${source}`), { values: expected }, source);
  };
  is('tonumber("ff", 16), tonumber("ZZ", 36), tonumber("-101", 2), tonumber(" 7 ", 8)', '255', '1295', '-5', '7');
  is('tonumber("8", 8), tonumber("", 10), tonumber("1 2", 10), tonumber("1.5", 10)', 'nil', 'nil', 'nil', 'nil');
  is('tonumber("1fffffffffffff", 16), tonumber("9007199254740991", 10)', '9007199254740991', '9007199254740991');
  is(
    'tonumber("1e3"), tonumber("0x10"), tonumber(" 12 "), tonumber(".5"), tonumber(7.5)',
    '1000',
    '16',
    '12',
    '0.5',
    '7.5',
  );
  is(
    'tonumber(""), tonumber("1e"), tonumber("abc"), tonumber(nil), tonumber({}), tonumber("inf")',
    'nil',
    'nil',
    'nil',
    'nil',
    'nil',
    'nil',
  );
  is('tonumber("4294967296"), tonumber("0xffffffffff")', '4294967296', '1099511627775');
  t.match(run('tonumber()').error, 'value expected');
  t.match(run('tonumber("1", 99)').error, 'base out of range');
  t.match(run('tonumber(1, 10)').error, 'string expected, got number');
});

test('functions called without a name are named in messages all the same', async (t) => {
  t.same(run('return select(2, pcall(string.rep))').values, [
    "bad argument #1 to 'string.rep' (string expected, got no value)",
  ]);
  t.match(run('return select(2, pcall(ipairs))').values?.[0], "to 'ipairs'");
});

test('table', async (t) => {
  t.same(run('return table.unpack({1, 2, 3}, 2)').values, ['2', '3']);
  t.same(run('return unpack({1, nil, 3}, 1, 3)').values, ['1', 'nil', '3']);
  t.same(run('local p = table.pack(1, nil) return p.n, p[1], math.type(p.n)').values, ['2', '1', 'integer']);
  t.same(run('return #table.create(5), type(table.create(5, 10)), next(table.create(3))').values, [
    '0',
    'table',
    'nil',
  ]);
  t.same(
    run('local t = {3, 1, 2} table.sort(t) table.insert(t, 1, 0) table.remove(t) return table.concat(t, ",")').values,
    ['0,1,2'],
  );
  t.same(run('return table.concat({1, 2.5, "x"}, "-", 1, 2), table.concat({})').values, ['1-2.5', '']);
  t.same(run('local t = table.move({1, 2}, 1, 2, 3) return #t').values, ['4']);
  t.match(run('table.create("x")').error, 'number expected, got string');
});

test('ranges that no budget could interrupt are refused', async (t) => {
  const claims = 'setmetatable({}, {__len = function() return 2^40 end, __index = function() return "" end})';
  const refused = 'too many items in one call';
  t.match(run(`table.insert(${claims}, 1, 1)`).error, refused);
  t.match(run(`table.remove(${claims}, 1)`).error, refused);
  t.match(run(`table.concat(${claims})`).error, refused);
  t.match(run(`table.concat(${claims}, "", 1, 2^40)`).error, refused);
  t.match(run(`table.sort(${claims})`).error, refused);
  t.match(run('table.move({}, 1, 2^40, 2)').error, refused);
  t.match(run('table.unpack({}, 1, 2^40)').error, 'too many results to unpack');
  t.same(run('local t = setmetatable({}, {__len = function() return 3 end}) table.insert(t, "x") return t[4]').values, [
    'x',
  ]);
});

test('os', async (t) => {
  t.same(run('return os.time(), os.platform, math.type(os.time())').values, [
    String(Math.floor(NOW / 1000)),
    'wippy',
    'integer',
  ]);
  t.same(run('return os.date("!%Y-%m-%d %H:%M:%S")').values, ['2026-03-04 05:06:07']);
  t.same(run('return os.date("!%c|%x|%X|%p|%I|%j|%y|%a %A|%b %B|%w|%z|%Z|%%", 0)').values, [
    'Thu Jan  1 00:00:00 1970|01/01/70|00:00:00|AM|12|001|70|Thu Thursday|Jan January|4|+0000|UTC|%',
  ]);
  t.same(
    run('local d = os.date("!*t", 86400 * 59.5) return d.year, d.month, d.day, d.hour, d.wday, d.yday, d.isdst').values,
    ['1970', '3', '1', '12', '1', '60', 'false'],
  );
  t.same(run('return os.date("!%F", 2^33)').values, ['2242-03-16'], 'beyond 32 bits');
  t.same(run('return os.difftime(10, 4)').values, ['6']);
  t.same(run('local a = os.clock() local b = os.clock() return a >= 0, b >= a').values, ['true', 'true']);
  t.match(run('os.date("%Q")').error, "invalid conversion specifier '%Q'");
  t.match(run('os.date("%d", 1e300)').error, 'time out of range');
});

test('os.time reads local time and normalises', async (t) => {
  const local = (year: number, month: number, day: number, hour = 0, min = 0, sec = 0): string =>
    String(new Date(year, month, day, hour, min, sec).getTime() / 1000);
  t.same(run('return os.time{year = 2024, month = 2, day = 30}').values, [local(2024, 2, 1)]);
  t.same(run('return os.time{year = 2024, month = 14, day = 1, hour = 25, min = 61, sec = 5}').values, [
    local(2025, 1, 2, 2, 1, 5),
  ]);
  t.same(run('return os.time{year = 2024, month = 1}').values, [local(2024, 0, new Date(NOW).getDate())], 'day: today');
  t.same(run('return os.date("*t", os.time{year = 2024, month = 5, day = 6, hour = 7}).hour').values, ['7']);
  t.match(run('os.time{year = 2024}').error, "field 'month' missing in date table");
  t.match(run('os.time{year = 2024, month = 1.5}').error, "field 'month' is not an integer");
  t.match(run('os.time("x")').error, 'table expected, got string');
});

test('utf8 stays', async (t) => {
  t.same(run('return utf8.len("héllo"), utf8.char(233, 8364), utf8.codepoint("é")').values, ['5', 'é€', '233']);
  t.same(run('local n = 0 for _ in ("h€é"):gmatch(utf8.charpattern) do n = n + 1 end return n').values, ['3']);
});

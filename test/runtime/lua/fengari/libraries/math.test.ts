import { test } from 'tap';
import { rawState } from '../raw-state.ts';

const { run } = rawState();
const is = (
  t: { same(found: unknown, wanted: unknown, message: string): unknown },
  source: string,
  ...expected: string[]
): void => {
  t.same(run(`return ${source}`), { values: expected }, source);
};

test('math.type tells a number without fraction below 2^53 from others', async (t) => {
  is(
    t,
    'math.type(5), math.type(5.0), math.type(5.5), math.type(2^53 - 1), math.type(2^53)',
    'integer',
    'integer',
    'float',
    'integer',
    'float',
  );
  is(t, 'math.type("5"), math.type(nil), math.type(1/0), math.type(0/0)', 'nil', 'nil', 'float', 'float');
  t.match(run('math.type()').error, 'value expected');
});

test('rule 57: results stay exact beyond 32 bits', async (t) => {
  is(t, 'math.floor(1e5) * math.floor(1e5)', '10000000000');
  is(
    t,
    'math.floor(2^40 + 0.5), math.ceil(-2^40 - 0.5), math.abs(-2^40)',
    '1099511627776',
    '-1099511627776',
    '1099511627776',
  );
  is(
    t,
    'math.maxinteger, math.mininteger, math.maxinteger == 2^53 - 1',
    '9007199254740991',
    '-9007199254740991',
    'true',
  );
  is(t, 'math.max(2^31, 1), math.min(-2^31 - 1, 1), math.fmod(2^40, 7)', '2147483648', '-2147483649', '2');
  is(t, 'math.modf(2^40 + 0.5)', '1099511627776', '0.5');
});

test('math.tointeger', async (t) => {
  is(
    t,
    'math.tointeger(3.0), math.tointeger(2^40), math.tointeger("8"), math.tointeger(-0.0)',
    '3',
    '1099511627776',
    '8',
    '0',
  );
  is(
    t,
    'math.tointeger(3.5), math.tointeger("x"), math.tointeger({}), math.tointeger(2^60)',
    'nil',
    'nil',
    'nil',
    'nil',
  );
});

test('the rest', async (t) => {
  is(t, 'math.max(1, 5, 3), math.min(2, 1), math.pow(2, 10), math.sqrt(16)', '5', '1', '1024', '4');
  is(t, 'math.fmod(-5, 3), math.modf(-3.5)', '-2', '-3', '-0.5');
  is(t, 'math.log(8, 2), math.log(100, 10), math.log(1), math.log10(1000), math.exp(0)', '3', '2', '0', '3', '1');
  is(t, 'math.ult(1, -1), math.ult(-1, 1), math.ult(1, 2), math.ult(-2, -1)', 'true', 'false', 'true', 'true');
  is(t, 'math.ldexp(1, 10), math.frexp(8)', '1024', '0.5', '4');
  is(
    t,
    'math.huge, -math.huge, math.pi, math.deg(math.pi), math.atan(1, 1) * 4 == math.pi',
    'inf',
    '-inf',
    '3.1415926535898',
    '180',
    'true',
  );
  is(t, 'math.modf(1/0)', 'inf', '0');
  t.match(run('math.floor("x")').error, 'number expected, got string');
  t.match(run('math.max()').error, 'number expected, got no value');
});

test('math.random keeps its ranges, and a seed repeats it', async (t) => {
  const source = `
    math.randomseed(42)
    local seen, low, high = {}, 1, 0
    for i = 1, 2000 do
      local r = math.random()
      if r < low then low = r end
      if r > high then high = r end
      seen[math.random(3)] = true
      local x = math.random(2^40, 2^40 + 1)
      assert(x == 2^40 or x == 2^40 + 1)
    end
    assert(low >= 0 and low < 0.01 and high < 1 and high > 0.99)
    math.randomseed(7) local a = math.random(1e9)
    math.randomseed(7) local b = math.random(1e9)
    math.randomseed(8) local c = math.random(1e9)
    return seen[1] and seen[2] and seen[3], #seen, a == b, a == c`;
  t.same(run(source), { values: ['true', '3', 'true', 'false'] });
  t.match(run('math.random(0)').error, 'interval is empty');
  t.match(run('math.random(2, 1)').error, 'interval is empty');
  t.match(run('math.random(1, 2, 3)').error, 'wrong number of arguments');
  t.match(run('math.random(math.mininteger, math.maxinteger)').error, 'interval too large');
});

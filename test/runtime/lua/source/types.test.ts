import { test } from 'tap';
import { prepareSource } from '../../../../runtime/lua/source/prepare.ts';
import { rawState } from '../fengari/raw-state.ts';

const prepare = (source: string): string => prepareSource(source, 'chunk').source;
/** The erased source without the blanks that annotations leave. */
const squeezed = (source: string): string =>
  prepare(source)
    .replace(/[ \t]+/g, ' ')
    .trim();
const { run } = rawState();

test('annotations of variables, parameters and results become blanks of the same length', async (t) => {
  t.equal(prepare('local n: number = x'), 'local n         = x');
  t.equal(
    prepare('function f(a: string, b: number?): (boolean, string?) return a end'),
    'function f(a        , b         )                     return a end',
  );
  t.equal(squeezed('local t: {[string]: any[]} = {}, 5'), 'local t = {}, 5.0');
  t.equal(squeezed('local a: A, b: B = 1, 2'), 'local a , b = 1.0, 2.0');
  t.equal(squeezed('local f = function(x: any, ...: string): () end'), 'local f = function(x , ... ) end');
  t.equal(squeezed('function m.a:b<T>(x: T, y?: T): T, string end'), 'function m.a:b (x , y ) end');
  t.equal(
    squeezed('for i: number = a, b do end for k: K, v: V in pairs(t) do end'),
    'for i = a, b do end for k , v in pairs(t) do end',
  );
  t.equal(squeezed('local function f(): fun(a: A): R end'), 'local function f() end');
});

test('the type grammar', async (t) => {
  const types = [
    'number',
    'a.b.C',
    'T?',
    'A | B',
    'A & B',
    '{T}',
    'T[]',
    'T[][]',
    '{[K]: V}',
    '{field: T, opt?: T}',
    '{a: A; b: B,}',
    '{}',
    '(A, B) -> R',
    '() -> ()',
    '(a: A, b?: B, ...: C) -> (R, S?)',
    'fun(a: A): R',
    'fun()',
    'function',
    'function(a: A): R',
    'Name<A, B>',
    'Map<string, Array<Set<T>>>',
    '"literal"',
    "'a' | 'b'",
    '5',
    '-5',
    'nil',
    'true',
    'false',
    'number @min(0)',
    'string @pattern("^%a+$") @max(10)',
    '{ name: string @min(1), age: number }?',
    '| "x" | "y"',
    '<T>(x: T) -> T',
    '(A | B)[]',
    '{end: number, type: string}',
    'typeof(x.y(1))',
    '{string?}',
    '(A) -> (B) -> C',
    '{\n  a: A, -- why\n  b: B\n}',
  ];
  for (const type of types) {
    const blanks = type.replace(/[^\n]/g, ' ');
    t.equal(prepare(`local x: ${type} = y`), `local x  ${blanks} = y`, type);
    t.equal(prepare(`local x: ${type}= y`), `local x  ${blanks}= y`, `${type} before =`);
    t.equal(prepare(`f(y :: ${type})`), `f(y    ${blanks})`, `cast to ${type}`);
    t.equal(
      prepare(`function f(x: ${type}, z): ${type} end`).replace(/\s+/g, ' '),
      'function f(x , z) end',
      `function of ${type}`,
    );
  }
});

test('type statements go, also exported, generic and over several lines', async (t) => {
  t.equal(prepare('type A = B x = y'), '           x = y');
  t.equal(squeezed('export type Box<T = string, U...> = {value: T}\nx = y'), 'x = y');
  t.equal(prepare('type A = {\n  a: B,\n}\nlocal x'), '          \n       \n \nlocal x');
  t.throws(() => prepare('type A = '), { message: 'type expected near <eof>', line: 1, column: 10 });
});

test('casts and non-nil assertions go, nested and in the middle of expressions', async (t) => {
  t.equal(squeezed('return (x :: any) :: string'), 'return (x )');
  t.equal(squeezed('return x :: any :: string'), 'return x');
  t.equal(squeezed('local y = a as Foo + b as Bar, c'), 'local y = a + b , c');
  t.equal(squeezed('f(x as {a: A}, {y :: B, k = z :: C})'), 'f(x , {y , k = z })');
  t.equal(squeezed('a!.b![c!]:d()!.e = f()!'), 'a .b [c ]:d() .e = f()');
  t.equal(squeezed('local v = n :: number < m and n as T < m'), 'local v = n < m and n < m');
  t.equal(squeezed('local v = n as Map<string, number> as any'), 'local v = n');
  t.equal(squeezed('return -x :: number ^ 2, not y :: boolean'), 'return -x ^ 2.0, not y');
});

test('names `type`, `as`, `export` and `fun` keep working', async (t) => {
  const keep = [
    'return type(x), t.type, t:type(), {type = type}',
    'type = y',
    'local type = type',
    'type(x).y = z',
    'type.x = y',
    'local as = y\nas = z\nas(x)\nas.b = c\nas"x"',
    'return as, as.x, as(y), t.as',
    'local a = b\nas = c',
    'local a = b\nas(c)',
    'export = y',
    'export.type = y',
    'local fun = y return fun(x), fun',
    'f(as)',
    'local x = type\ntype = x',
  ];
  for (const source of keep) t.equal(prepare(source), source, source);
});

test('labels keep working beside casts', async (t) => {
  const keep = [
    'x = y\n::continue::\nf()',
    'for _, v in p do if v then goto next end x = y ::next:: end',
    'goto a x = y ::a:: f()',
    'x = y ::last:: end_()\ngoto last',
    '::a:: ::b:: x = y',
    'do x = y ::unused:: end',
    'x = f() ::unused:: local z',
  ];
  for (const source of keep) t.equal(prepare(source), source, source);
  t.equal(squeezed('local x = y ::any ::string\nz = x'), 'local x = y \nz = x', 'two casts are no label');
  t.same(
    run('local n = 0 for i = 1, 5 do if i == 3 then goto continue end n = n + i :: number ::continue:: end return n')
      .values,
    ['12'],
  );
});

test('a statement that ends with a type stays apart from a parenthesis after it', async (t) => {
  t.equal(prepare('local a = b :: T\n(f or g)()'), 'local a = b ;   \n(f or g)()');
  t.equal(squeezed('x = y\ntype A = B\n(f)()'), 'x = y\n; \n(f)()');
  const source =
    'local hit = "no"\nlocal f = function() hit = "yes" end\nlocal a = f :: any\n(f or a)()\nreturn hit, type(a)';
  t.same(run(source).values, ['yes', 'function']);
});

test('lines stay where they are', async (t) => {
  const source =
    'local t: {\n  a: string,\n  b: number,\n} = {}\ntype X =\n  | A\n  | B\nlocal function f(\n  a: X\n): (\n  A\n)\n  error("here")\nend\nf()';
  t.equal(prepare(source).split('\n').length, source.split('\n').length);
  t.equal(run(source).error, 'chunk:13: here');
});

test('types run: an annotated program does what the plain one does', async (t) => {
  const source = `
    export type Item = {name: string, price: number @min(0)}
    type Total<T> = (items: {T}) -> number
    local function total(items: {Item}, tax: number?): (number, string)
      local sum: number = 0
      for _, item: Item in ipairs(items) do sum = sum + (item.price :: any) :: number end
      return sum * (1 + (tax or 0)), "EUR" as string
    end
    local f: Total<Item> = total :: any
    return f({{name = "a", price = 5}, {name = "b", price = 10}}, 1)`;
  t.same(run(source).values, ['30', 'EUR']);
});

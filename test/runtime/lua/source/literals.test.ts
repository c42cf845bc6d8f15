import { test } from 'tap';
import { prepareSource } from '../../../../runtime/lua/source/prepare.ts';
import { rawState } from '../fengari/raw-state.ts';

const prepare = (source: string): string => prepareSource(source, 'chunk').source;
const { run } = rawState();

test('rule 57: integer literals become floats, nothing else does', async (t) => {
  t.equal(prepare('return 5, 0, 007'), 'return 5.0, 0.0, 007.0');
  t.equal(prepare('return 0xff, 0XFF, 0x0'), 'return 255.0, 255.0, 0.0');
  const keep = [
    'return 5.0, .5, 5., 1e5, 0x.8p1, 0x1p4, 3E-2',
    'return "5", [[5]], [==[ 5 ]==] -- 5',
    '--[[ 5 ]] x = y',
    'a.b5 = c',
  ];
  for (const source of keep) t.equal(prepare(source), source, source);
  t.equal(prepare('t[1], a = b[2], #c - 3'), 't[1.0], a = b[2.0], #c - 3.0');
  t.equal(prepare('for i=1,n do x = 1 ..2 end'), 'for i=1.0,n do x = 1.0 ..2.0 end');
  t.equal(prepare('return f{1, [2]=3}, -4'), 'return f{1.0, [2.0]=3.0}, -4.0');
});

test('rule 57: literals around 2^31 and 2^53', async (t) => {
  t.same(run('return 2147483647 + 1, 2147483648, 4294967296 * 2, 0x7fffffff + 1, 0xffffffff').values, [
    '2147483648',
    '2147483648',
    '8589934592',
    '2147483648',
    '4294967295',
  ]);
  t.same(run('return 9007199254740991, 0x1fffffffffffff, 9007199254740992 == 2^53').values, [
    '9007199254740991',
    '9007199254740991',
    'true',
  ]);
  t.same(
    run('return 0xffffffffffffffff == 2^64, 0x1FFFFFFFFFFFFFFFFF > 0, 123456789012345678901234567890 > 1e29').values,
    ['true', 'true', 'true'],
  );
  t.equal(prepare(`return 0x${'f'.repeat(30)}`), 'return 1.329227995784916e+36');
});

test('strings of all forms reach the program as they are', async (t) => {
  t.same(
    run(String.raw`return "\65\066\x41\u{20AC}\z
      x\
y\"", 'a"b', [[
line]], [==[ ]] ]==], #"\n\t\\"`).values,
    ['ABA€x\ny"', 'a"b', 'line', ' ]] ', '3'],
  );
  t.same(run('return "héllo €"').values, ['héllo €']);
});

test('a byte order mark and a first line with # are skipped', async (t) => {
  t.equal(prepare('#!/usr/bin/lua 5\nreturn x'), `${' '.repeat(16)}\nreturn x`);
  t.equal(prepare('\ufeffreturn x'), ' return x');
  t.same(run('#!lua\nreturn 1').values, ['1']);
});

test('line breaks of all systems are kept and counted once', async (t) => {
  t.equal(prepare('local x: {\r\n} = y\r\nz = w'), 'local x   \r\n  = y\r\nz = w');
  t.throws(() => prepare('x = y\r\nz ='), { message: /near <eof>/, line: 2, column: 4 });
  t.throws(() => prepare('x = y\n\nz ='), { message: /near <eof>/, line: 3 });
});

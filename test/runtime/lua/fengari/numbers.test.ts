import { test } from 'tap';
import type { LuaTable } from '../../../../runtime/lua/values.ts';
import { functionsFile, programIn } from '../../../harness/in-process.ts';
import { luaBench } from '../../../harness/lua.ts';
import { poll } from '../../../harness/poll.ts';

const lua = luaBench();
const P31 = 2 ** 31;
const P53 = 2 ** 53;
/** Around every edge of 32 bits and of a double's 53. */
const EDGES = [P31 - 2, P31 - 1, P31, P31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 1e15, P53 - 2, P53 - 1].flatMap(
  (n) => [n, -n],
);

test('literals, printing and reading back around 2^31, 2^32 and 2^53', async (t) => {
  for (const n of [0, 1, -1, ...EDGES]) {
    t.equal(await lua.run(`return ${n}`), n);
    t.equal(
      await lua.run(`return tostring(${n}) .. " " .. ${n} .. " " .. string.format("%d %s %.0f", ${n}, ${n}, ${n})`),
      Array(5).fill(String(n)).join(' '),
    );
    t.equal(
      await lua.run('local n = ...; return tostring(n) == tostring(tonumber(tostring(n))) and math.type(n)', {
        args: [n],
      }),
      'integer',
    );
    t.equal(await lua.run(`return tonumber("${n}") == ${n} and math.tointeger(${n}) == ${n}`), true);
  }
  t.equal(
    await lua.run('return 0x7fffffff .. " " .. 0x80000000 .. " " .. 0xffffffff .. " " .. 0x1fffffffffffff'),
    '2147483647 2147483648 4294967295 9007199254740991',
  );
  t.equal(
    await lua.run(`return string.format("%x %X %o", ${P53 - 1}, ${P31}, ${P31})`),
    '1fffffffffffff 80000000 20000000000',
  );
  const limits =
    'return string.format("%d %d %x", 2^53, -2^53, 2^53) .. " " .. string.format("%d", math.tointeger(2^53))';
  t.equal(await lua.run(limits), '9007199254740992 -9007199254740992 20000000000000 9007199254740992');
  t.equal(await lua.run('local r = math.random(2^53); return r >= 1 and r <= 2^53 and math.random(2^53, 2^53)'), P53);
  await t.rejects(lua.run('return string.format("%d", 2^53 + 2)'), { message: /no integer representation/ });
  await t.rejects(lua.run('return math.random(-1, 2^53)'), { message: /interval too large/ });
  t.equal(
    await lua.run('local t = {}; t[2^53] = 1; t[-2^53] = 2; return t[9007199254740992] + t[-9007199254740992]'),
    3,
  );
  t.equal(await lua.run('return math.maxinteger .. " " .. math.mininteger'), `${P53 - 1} ${1 - P53}`);
  t.equal(
    await lua.run('return math.type(2^53) .. " " .. math.type(1.5) .. " " .. tostring(math.type("1"))'),
    'float float nil',
  );
  t.same(
    await lua.run(
      'return tostring(2^53) .. " " .. tostring(1e100) .. " " .. tostring(-0.0) .. " " .. 1/0 .. " " .. -1/0',
    ),
    '9.007199254741e+15 1e+100 0 inf -inf',
  );
});

test('arithmetic is that of doubles: exact to 2^53, never wrapping', async (t) => {
  const operations: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '//': (a, b) => Math.floor(a / b),
    '%': (a, b) => {
      const rest = a % b;
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    },
    '^': (a, b) => a ** b,
  };
  for (const [operator, exact] of Object.entries(operations)) {
    for (const a of [P31 - 1, P31, -P31, P53 - 1, 1 - P53]) {
      for (const b of operator === '^' ? [2] : [1, 2, -3, P31]) {
        // As literals, as arguments and as integers of fengari's own, which wrap where nothing is done about them.
        const own = `#("xx") - 2 + ${a}`;
        const results = await lua.run(
          `local a, b = ...; return {(${a}) ${operator} ${b}, a ${operator} b, (${own}) ${operator} b}`,
          { args: [a, b] },
        );
        t.same((results as LuaTable).sequence(), Array(3).fill(exact(a, b)), `${a} ${operator} ${b}`);
      }
    }
  }
  const checks: [string, number][] = [
    ['math.floor(1e5) * math.floor(1e5)', 1e10],
    ['1700000000 * 1000', 1_700_000_000_000],
    ['#string.rep("x", 100000) * #string.rep("x", 100000)', 1e10],
    ['("a"):byte() * 2147483647', 97 * (P31 - 1)],
    ['tonumber("2147483647") + tonumber("1")', P31],
    ['math.tointeger(2147483647) + math.tointeger(1)', P31],
    ['-math.floor(-2147483648)', P31],
    ['-(-2147483648)', P31],
    ['math.abs(-2147483648)', P31],
    ['math.abs(math.mininteger)', P53 - 1],
    ['math.max(2147483648, 1)', P31],
    ['math.floor(2147483648.5) + math.ceil(2147483647.5)', 2 * P31],
    ['select("#", 1, 2) * 2147483647', 2 * (P31 - 1)],
    ['math.fmod(9007199254740991, 2147483648)', P31 - 1],
    ['2^53 + 1', P53],
    ['("2147483648" + 1)', P31 + 1],
  ];
  for (const [expression, expected] of checks) t.equal(await lua.run(`return ${expression}`), expected, expression);
});

test('loops, sums and keys across the edges', async (t) => {
  t.equal(await lua.run(`local n = 0; for i = ${P31 - 2}, ${P31 + 2} do n = n + 1 end; return n`), 5);
  t.equal(
    await lua.run(`local s = ''; for i = ${P53 - 3}, ${P53 - 1} do s = s .. i .. ' ' end; return s`),
    `${P53 - 3} ${P53 - 2} ${P53 - 1} `,
  );
  t.equal(await lua.run(`local n = 0; for i = ${-P31 + 1}, ${-P31 - 1}, -1 do n = n + 1 end; return n`), 3);
  t.equal(await lua.run('local n = math.floor(2147483647); for _ = 1, 10 do n = n + 1 end; return n'), P31 + 9);
  for (const n of EDGES) {
    t.equal(
      await lua.run(`local t = {[${n}] = 'v'}; return t[${n} + 0.0] .. t[tonumber("${n}")] .. t[math.tointeger(${n})]`),
      'vvv',
    );
  }
  t.equal(
    await lua.run(
      `return ${P31} == ${P31}.0 and ${P31} < ${P31 + 1} and ${-P31 - 1} < ${-P31} and ${P53 - 2} < ${P53 - 1}`,
    ),
    true,
  );
});

test('numbers through json, store, queue, calls and log lines', async (t) => {
  const modules = ['funcs', 'json', 'store', 'queue', 'logger', 'metrics'];
  const body = {
    echo: 'return ...',
    json: `local n = ...; return {json.encode(n), json.encode({n = n}), json.decode(tostring(n)), json.decode(json.encode({n})) [1], json.encode(math.floor(n))}`,
    all: `local n = ...; local kv = store.get('app:kv'); kv:set('k', {n, [2] = math.floor(n)}); local got = kv:get('k')
      logger:info('n ' .. n, {n = n}); queue.publish('app:jobs', {n = n}, {h = n})
      return {got[1], got[2], funcs.call('app:echo', n), funcs.call('app:echo', math.floor(n)), math.type(got[1])}`,
    work: `local got = ...; local m = queue.message(); store.get('app:kv'):set('job' .. got.n, {got.n, m:header('h')})`,
    job: `local v = store.get('app:kv'):get('job' .. ...); return v`,
  };
  const functions = Object.fromEntries(
    Object.entries(body).map(([name, text]) => [name, { body: text, more: { modules } }]),
  );
  const file = JSON.parse(functionsFile(functions));
  file.entries.push(
    { name: 'kv', kind: 'store.memory', lifecycle: { auto_start: true } },
    { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
    { name: 'jobs', kind: 'queue.queue', driver: 'app:driver' },
    { name: 'consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work', lifecycle: { auto_start: true } },
  );
  const program = await programIn(t, t.testdir({ '_index.yaml': JSON.stringify(file) }));
  const result = async (name: string, n: number) => (await program.call(`app:${name}`, [n])) as LuaTable;
  for (const n of EDGES) {
    t.same((await result('json', n)).sequence(), [String(n), `{"n":${n}}`, n, n, String(n)]);
    t.same((await result('all', n)).sequence(), [n, n, n, n, 'integer']);
    const delivered = await poll(`the delivery of ${n}`, () => result('job', n));
    t.same(delivered.sequence(), [n, n]);
  }
  const lines = program.lines().filter(({ subsystem }) => subsystem === 'lua');
  t.same(
    lines.map(({ msg, n }) => [msg, n]),
    EDGES.map((n) => [`n ${n}`, n]),
  );
  t.equal((await result('json', 2 ** 53)).get(4), 2 ** 53);
  t.equal(await program.call('app:echo', [0.1 + 0.2]), 0.1 + 0.2, 'fractions keep every digit');
});

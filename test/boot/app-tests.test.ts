import { test } from 'tap';
import { APP, run } from './cli-app.ts';

const TESTS = `namespace: tests
entries:
  - { name: z_first, kind: function.lua, source: file://pass.lua, method: main, meta: { type: test, suite: a, order: 1 } }
  - { name: b_second, kind: function.lua, source: file://pass.lua, method: main, meta: { type: test, suite: a, order: 2 } }
  - { name: a_second, kind: function.lua, source: file://pass.lua, method: main, meta: { type: test, suite: a, order: 2 } }
  - { name: raises, kind: function.lua, source: file://fail.lua, method: raises, meta: { type: test, suite: b } }
  - { name: second_error, kind: function.lua, source: file://fail.lua, method: second_error, meta: { type: test, suite: b } }
  - { name: second_text, kind: function.lua, source: file://fail.lua, method: second_text, meta: { type: test, suite: b } }
  - { name: returns_false, kind: function.lua, source: file://fail.lua, method: returns_false, meta: { type: test, suite: b } }
  - { name: too_slow, kind: function.lua, source: file://fail.lua, method: too_slow, modules: [time], meta: { type: test, suite: c, timeout: 50ms } }
  - { name: bad_timeout, kind: function.lua, source: file://pass.lua, method: main, meta: { type: test, suite: c, timeout: soon } }
  - { name: nothing, kind: function.lua, source: "return function() end", method: main, meta: { type: test, suite: d } }
  - { name: no_suite, kind: function.lua, source: file://pass.lua, method: main, meta: { type: test } }
  - { name: calls, kind: function.lua, source: file://calls.lua, method: main, modules: [funcs], meta: { type: test, suite: e } }
  - { name: helper, kind: function.lua, source: file://fail.lua, method: raises }
`;
const FILES = {
  ...APP,
  tests: {
    'tests.yaml': TESTS,
    'pass.lua': 'return { main = function() return true end }',
    'fail.lua': `return {
  raises = function() error("raised") end,
  second_error = function() return nil, errors.new({ message = "an error value", kind = errors.CONFLICT }) end,
  second_text = function() return true, "a text" end,
  returns_false = function() return false end,
  too_slow = function() require("time").sleep("30s") end,
}`,
    'calls.lua': `return { main = function()
  local sum, err = require("funcs").call("app:sum", 1, 2)
  assert(err == nil and sum == 3)
end }`,
  },
};
interface Row {
  readonly id: string;
  readonly suite: string;
  readonly ok: boolean;
  readonly error: string | null;
  readonly ms: number;
}
const json = async (dir: string, ...args: string[]) => {
  const { code, out, err } = await run(['test', dir, '--reporter', 'json', ...args]);
  return { code, err, rows: out.map((line) => JSON.parse(line) as Row) };
};

test('tests run by suite, then order, then id, and only those that are tests', async (t) => {
  const { rows } = await json(t.testdir(FILES));
  t.same(
    rows.map(({ id }) => id.slice('tests:'.length)),
    [
      'no_suite',
      'z_first',
      'a_second',
      'b_second',
      'raises',
      'returns_false',
      'second_error',
      'second_text',
      'bad_timeout',
      'too_slow',
      'nothing',
      'calls',
    ],
  );
});

test('a test fails that raises, returns an error or a text second, or false, or takes too long', async (t) => {
  const { code, rows } = await json(t.testdir(FILES));
  t.equal(code, 1);
  const failed = new Map(rows.filter(({ ok }) => !ok).map(({ id, error }) => [id.slice('tests:'.length), error ?? '']));
  t.same(
    [...failed.keys()].sort(),
    ['bad_timeout', 'raises', 'returns_false', 'second_error', 'second_text', 'too_slow'],
    'and no other',
  );
  t.match(failed.get('raises') ?? '', /fail\.lua:2: raised/);
  t.equal(failed.get('second_error'), 'an error value');
  t.equal(failed.get('second_text'), 'a text');
  t.equal(failed.get('returns_false'), 'the test returned false');
  t.match(failed.get('too_slow') ?? '', /timed out after 50ms: tests:too_slow/);
  t.match(failed.get('bad_timeout') ?? '', /meta\.timeout/);
  const slow = rows.find(({ id }) => id === 'tests:too_slow');
  t.ok((slow?.ms ?? 0) >= 40 && (slow?.ms ?? 0) < 30_000, `ended after ${slow?.ms} ms`);
});

test('json: nothing else on stdout, and each row has all its keys', async (t) => {
  const { rows } = await json(t.testdir(FILES), '--filter', 'tests:nothing');
  t.match(rows, [{ id: 'tests:nothing', suite: 'd', ok: true, error: null, ms: Number }]);
  t.same(Object.keys(rows[0] ?? {}), ['id', 'suite', 'ok', 'error', 'ms']);
});

test('--filter takes a part of the id or of the suite; all that ran passed: exit 0', async (t) => {
  const dir = t.testdir(FILES);
  const bySuite = await json(dir, '--filter', 'a');
  t.ok(bySuite.rows.some(({ suite }) => suite === 'a'));
  const byId = await json(dir, '--filter', '_second');
  t.same(
    byId.rows.map(({ id }) => id),
    ['tests:a_second', 'tests:b_second'],
  );
  t.equal(byId.code, 0);
  t.same((await json(dir, '--filter', 'no such test')).rows, []);
});

test('tap: a plan, a line per test, the reason of a failure', async (t) => {
  const { code, out } = await run(['test', t.testdir(FILES), '--reporter', 'tap', '--filter', 'second']);
  t.equal(code, 1);
  t.match(out, [
    'TAP version 14',
    '1..4',
    /^ok 1 - tests:a_second # time=[\d.]+ms$/,
    /^ok 2 - tests:b_second/,
    /^not ok 3 - tests:second_error/,
    '  ---',
    '  message: "an error value"',
    '  kind: Conflict',
    '  ...',
    /^not ok 4 - tests:second_text/,
  ]);
});

test('pretty: suites, failures with their traceback, the count last', async (t) => {
  const { code, out } = await run(['test', t.testdir(FILES)]);
  t.equal(code, 1);
  t.ok(out.includes('b'), 'a line with the suite');
  t.ok(out.some((line) => /^ {2}FAIL tests:raises \([\d.]+ ms\)$/.test(line)));
  t.ok(out.some((line) => /fail\.lua:2: in a function/.test(line)));
  t.equal(out.at(-1), '6 passed, 6 failed');
});

test('a test goes through the call chain of its function, with the services of the app started', async (t) => {
  const { code, rows } = await json(t.testdir(FILES), '--filter', 'calls');
  t.same([code, rows.length], [0, 1]);
});

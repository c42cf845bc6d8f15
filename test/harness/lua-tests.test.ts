import { isDeepStrictEqual } from 'node:util';
import { test } from 'tap';
import { type Assertions, luaTests } from './lua-tests.ts';
import type { Scope } from './teardown.ts';

const TESTS = `namespace: tests
meta: { type: test, suite: all }
entries:
  - { name: passes, kind: function.lua, source: "return function() return true end", method: main }
  - { name: fails, kind: function.lua, source: file://fail.lua, method: main }
`;
const FAIL = 'return { main = function() error("broken") end }';

/** What a folder's tests assert, as `+ message` and `- message`. */
const assertionsOf = async (scope: Scope, folder: string): Promise<string[]> => {
  const said: string[] = [];
  const note = (holds: boolean, message: string): void => void said.push(`${holds ? '+' : '-'} ${message}`);
  const assertions: Assertions = {
    teardown: (end) => scope.teardown(end),
    ok: (value, message) => note(Boolean(value), message),
    same: (found, wanted, message) => note(isDeepStrictEqual(found, wanted), message),
  };
  await luaTests(assertions, folder);
  return said;
};

test('each Lua test is an assertion, and one that fails says why', async (t) => {
  const said = await assertionsOf(t, t.testdir({ '_index.yaml': TESTS, 'fail.lua': FAIL }));
  t.match(said, [
    '+ stdout holds results and nothing else',
    /^- all: tests:fails: fail\.lua:1: broken/,
    '+ all: tests:passes',
    /^\+ .* declares tests$/,
    '+ every declared test ran',
    '+ the exit code',
  ]);
});

test('an app that does not start fails, and so does one without tests', async (t) => {
  const broken = t.testdir({ '_index.yaml': TESTS, 'fail.lua': 'return {' });
  const said = await assertionsOf(t, broken);
  t.ok(said.includes('- every declared test ran'), said.join('\n'));
  t.ok(said.includes('- the exit code'));
  const empty = t.testdir({ '_index.yaml': 'namespace: app\nentries: []\n' });
  t.ok((await assertionsOf(t, empty)).some((one) => /^- .* declares tests$/.test(one)));
});

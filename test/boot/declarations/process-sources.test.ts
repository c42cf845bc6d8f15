import { test } from 'tap';
import { run } from '../cli-app.ts';

const ENTRIES = `version: "1.0"
namespace: app
entries:
  - { name: lib, kind: library.lua, source: "return { one = 1 }" }
  - name: good
    kind: process.lua
    imports: { lib: lib }
    source: |
      local lib = require("lib")
      return function() return lib.one end
`;
const validate = (t: { testdir(files: Record<string, string>): string }, more: string, files = {}) =>
  run(['validate', t.testdir({ '_index.yaml': ENTRIES + more, ...files })]);

test('validate checks the source of a process as that of a function', async (t) => {
  const good = await validate(t, '');
  t.equal(good.code, 0, [...good.out, ...good.err].join('\n'));

  for (const kind of ['process.lua', 'function.lua']) {
    const { code, out, err } = await validate(
      t,
      `  - { name: bad, kind: ${kind}, source: file://actor.lua, method: main }\n`,
      { 'actor.lua': 'local M = {}\nfunction M.main()\n  local x = = 1\nend\nreturn M\n' },
    );
    t.equal(code, 2, kind);
    t.match([...out, ...err].join('\n'), /actor\.lua:3(:\d+)?: app:bad: .*unexpected symbol near '='/, kind);
  }
});

test('an inline source counts its lines from the declaration file', async (t) => {
  const { code, out, err } = await validate(
    t,
    `  - name: bad
    kind: process.lua
    source: |
      return function()
        retrun 1
      end
`,
  );
  t.equal(code, 2);
  t.match([...out, ...err].join('\n'), /_index\.yaml:15:\d+: app:bad: syntax error near/);
});

test('imports and modules of a process are checked', async (t) => {
  const said = async (fields: string, files = {}) => {
    const { code, out, err } = await validate(
      t,
      `  - { name: bad, kind: process.lua, source: "return function() end", ${fields} }\n`,
      files,
    );
    t.equal(code, 2, fields);
    return [...out, ...err].join('\n');
  };
  t.match(await said('imports: { x: nowhere }'), /imports\.x: app:bad refers to app:nowhere, which does not exist/);
  t.match(await said('imports: { x: good }'), /imports\.x: app:bad refers to app:good, which is of kind process\.lua/);
  t.match(await said('modules: [tiem]'), /modules\[0\]: unknown module 'tiem'\. .*time/);
  t.match(await said('modules: ["a:b"]'), /module cannot have a namespace/);
});

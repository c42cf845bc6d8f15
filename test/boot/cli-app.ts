import { fileURLToPath } from 'node:url';
import { main } from '../../boot/cli.ts';
import { fakeTerminal } from './fake-terminal.ts';

export const project = fileURLToPath(new URL('../..', import.meta.url));
export const bin = `${project}bin/perilune.js`;
/** The part of the end-to-end app that needs no server of others. */
export const e2e = `${project}test/e2e/app/base`;

const SUM = 'return { main = function(...) local s = 0; for _, n in ipairs({...}) do s = s + n end; return s end }';
const BREAK = `local function inner()
  error(errors.new({ message = "on fire", kind = errors.CONFLICT }))
end
return { main = function() inner() end }`;
/** A small app, for `t.testdir`. */
export const APP = {
  '_index.yaml': `version: "1.0"
namespace: app
entries:
  - { name: sum, kind: function.lua, source: file://sum.lua, method: main }
  - { name: break, kind: function.lua, source: file://break.lua, method: main }
  - { name: echo, kind: function.lua, source: "return function(v) return v end", method: main }
  - { name: say, kind: function.lua, source: "return function(v) require('logger'):info(v) end", method: main, modules: [logger] }
`,
  'sum.lua': SUM,
  'break.lua': BREAK,
};
/** `main` on a terminal of its own. */
export const run = async (argv: readonly string[], variables: Record<string, string> = {}) => {
  const terminal = fakeTerminal(variables);
  return { code: await main(argv, terminal), terminal, out: terminal.outLines(), err: terminal.errLines() };
};

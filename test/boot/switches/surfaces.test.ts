import { test } from 'tap';
import { loadApp } from '../../../boot/app.ts';
import { renderProblem } from '../../../runtime/errors.ts';
import { programIn } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';

type Scope = { testdir(files: Record<string, string>): string };
const appOf = (t: Scope, entries: string): string =>
  t.testdir({ '_index.yaml': `namespace: app\nentries:\n${entries}` });
const problems = (dir: string, ...sets: string[]): readonly string[] =>
  loadApp({ dir, configFiles: [], sets, overrides: [], variables: {} })
    .problems.filter(({ severity }) => severity === 'error')
    .map(renderProblem);

const FUNCTION = `  - name: f
    kind: function.lua
    method: main
    modules: [ctx]
    source: |
      return { main = function(n)
        return { process = type(process), payload = payload.new(n):data(), bag = next((require("ctx").all())) == nil }
      end }
`;
const PROCESS = `  - { name: host, kind: process.host, lifecycle: { auto_start: true } }
  - { name: service, kind: process.service, process: actor, host: host, lifecycle: { auto_start: true } }
  - name: actor
    kind: process.lua
    modules: [logger, time, ctx]
    source: |
      return function()
        local inbox = process.inbox()
        process.with_context({ k = "v" }):spawn("app:child", "app:host", process.pid())
        local message = inbox:receive()
        require("logger"):info("got", { k = message:payload():data(), funcs = pcall(require, "funcs") })
      end
  - name: child
    kind: process.lua
    modules: [ctx]
    source: return function(parent) process.send(parent, "said", (require("ctx").get("k"))) end
`;

test('surfaces.process: false refuses its kinds and its module; functions go on', async (t) => {
  t.match(problems(appOf(t, PROCESS), 'surfaces.process=false'), [
    /^_index\.yaml:3:\d+: .*app:host: kind 'process\.host' is switched off by surfaces\.process: false in the boot file$/,
    /app:service: kind 'process\.service' is switched off/,
    /app:actor: kind 'process\.lua' is switched off/,
    /app:child: kind 'process\.lua' is switched off/,
  ]);
  t.match(problems(appOf(t, FUNCTION.replace('[ctx]', '[process]')), 'surfaces.process=false'), [
    /_index\.yaml:6:\d+: .*: module 'process' is switched off by surfaces\.process: false$/,
  ]);
  t.same(problems(appOf(t, FUNCTION.replace('[ctx]', '[process]'))), [], 'else it may be listed');

  const dir = appOf(t, FUNCTION);
  const seen = async (value: boolean) => {
    const program = await programIn(t, dir, { set: { 'surfaces.process': value } });
    const found = (await program.call('app:f', [7])) as { get(key: string): unknown } | undefined;
    return ['process', 'payload', 'bag'].map((key) => found?.get(key));
  };
  t.same(await seen(false), ['nil', 7, true], 'there is no `process`');
  t.same(await seen(true), ['table', 7, true]);
});

test('surfaces.function: false refuses its kind and its module; processes go on', async (t) => {
  t.match(problems(appOf(t, FUNCTION), 'surfaces.function=false'), [
    /app:f: kind 'function\.lua' is switched off by surfaces\.function: false in the boot file$/,
  ]);
  t.match(problems(appOf(t, PROCESS.replace('logger, time, ctx', 'logger, funcs')), 'surfaces.function=false'), [
    /module 'funcs' is switched off by surfaces\.function: false$/,
  ]);
  const program = await programIn(t, appOf(t, PROCESS), { set: { 'surfaces.function': false } });
  const line = await poll('its line', () => program.lines().find(({ msg }) => msg === 'got') ?? false);
  t.match(line, { k: 'v', funcs: false }, 'messages, payloads and the inherited bag are there');
});

import { test } from 'tap';
import { main } from '../../boot/cli.ts';
import { createRuntime } from '../../boot/library.ts';
import { runChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';
import { bin, run } from './cli-app.ts';
import { fakeTerminal } from './fake-terminal.ts';

const APP = {
  '_index.yaml': `version: "1.0"
namespace: app
entries:
  - name: web
    kind: http.service
    addr: "127.0.0.1:0"
    lifecycle: { auto_start: true }
  - { name: api, kind: http.router, meta: { server: web } }
  - { name: leave.endpoint, kind: http.endpoint, meta: { router: api }, method: GET, path: /leave, func: leave }
  - { name: leave, kind: function.lua, source: file://leave.lua, method: over_http, modules: [http, system, time] }
  - { name: quit, kind: function.lua, source: file://leave.lua, method: quit, modules: [http, system, time] }
  - { name: quit_and_fail, kind: function.lua, source: file://leave.lua, method: fail, modules: [http, system, time] }
  - { name: quit_and_stay, kind: function.lua, source: file://leave.lua, method: stay, modules: [http, system, time] }
`,
  'leave.lua': `local function quit(code)
  local ok, err = system.exit(code)
  assert(ok == true and err == nil)
  return "left"
end
return {
  quit = quit,
  fail = function(code) quit(code) error("and failed") end,
  stay = function(code) quit(code) time.sleep("60s") end,
  over_http = function()
    local req, res = http.request(), http.response()
    quit(tonumber(req:query("code")))
    time.sleep("100ms")
    quit(9) -- the first word counts
    res:write("left")
  end,
}`,
};
const TESTS = `namespace: tests
meta: { type: test }
entries:
  - { name: a, kind: function.lua, source: "return function() return true end", method: main }
  - { name: b, kind: function.lua, source: "return function() require('system').exit(5) end", method: main, modules: [system] }
  - { name: c, kind: function.lua, source: "return function() return true end", method: main }
`;

test('run: the running request ends, then the program, with the code that was asked for', async (t) => {
  const terminal = fakeTerminal();
  const done = main(['run', t.testdir(APP), '--set', 'logger.level=info'], terminal);
  await poll('it has started', () => terminal.stdout().includes('traces:'));
  const url = /listens on (\S+)/.exec(terminal.stdout())?.[1];
  const response = await fetch(`${url}/leave?code=7`);
  t.equal(response.status, 200);
  t.equal(await response.text(), 'left', 'work that runs is let end');
  t.equal(await done, 7);
  const lines = terminal.errLines().map((line) => JSON.parse(line));
  t.match(
    lines.filter(({ msg }) => msg === 'stopping'),
    [{ level: 'info', exit_code: 7 }],
  );
  t.equal(terminal.listeners(), 0);
  t.same(terminal.exits, []);
});

test('run: a signal before it has the say; without a code it is 0', async (t) => {
  const dir = t.testdir(APP);
  const codeOf = async (query: string, signal?: string): Promise<number> => {
    const terminal = fakeTerminal();
    const done = main(['run', dir, '-s'], terminal);
    await poll('it has started', () => terminal.stdout().includes('traces:'));
    const url = /listens on (\S+)/.exec(terminal.stdout())?.[1];
    if (signal !== undefined) terminal.signal(signal);
    const asked = fetch(`${url}/leave${query}`).catch(() => undefined); // refused after a signal
    const code = await done;
    await asked;
    return code;
  };
  t.equal(await codeOf(''), 0);
  t.equal(await codeOf('?code=7', 'SIGTERM'), 0);
});

test('invoke: the call ends as it does, with the code that was asked for; the process has it', async (t) => {
  const dir = t.testdir(APP);
  const left = await run(['invoke', dir, 'app:quit', '3']);
  t.equal(left.code, 3);
  t.same(left.out, ['"left"']);
  const failed = await run(['invoke', dir, 'app:quit_and_fail', '0']);
  t.equal(failed.code, 0);
  t.match(failed.err.join('\n'), /and failed/);
  const child = await runChild(t, process.execPath, [bin, 'invoke', dir, 'app:quit', '--', '-1']);
  t.equal(child.code, 255);
});

test('invoke: a call that stays after it is cancelled when the time of a stop is over', async (t) => {
  const stop = ['--set', 'shutdown.timeout=200ms', '--set', 'shutdown.flush_timeout=100ms'];
  const { code, err } = await run(['invoke', t.testdir(APP), 'app:quit_and_stay', '4', ...stop]);
  t.equal(code, 4);
  t.match(err.join('\n'), /Canceled: the program stops/);
});

test('test: no further test begins', async (t) => {
  const { code, out } = await run(['test', t.testdir({ 'tests.yaml': TESTS }), '--reporter', 'json']);
  t.equal(code, 5);
  t.same(
    out.map((line) => JSON.parse(line).id),
    ['tests:a', 'tests:b'],
  );
});

test('a library stops its runtime, and never ends the process', async (t) => {
  const runtime = createRuntime({ dir: t.testdir(APP) });
  t.teardown(() => runtime.stop());
  await runtime.start();
  t.equal(await runtime.call('app:quit', [3]), 'left');
  await poll('it has stopped', () => runtime.addresses().length === 0);
  await t.rejects(runtime.call('app:quit', [3]), { name: 'CallError', message: /draining|has stopped/ });
  t.equal(await runtime.stop(), true, 'nothing was lost');
  t.equal(process.exitCode, undefined);
});

import { t as root, type Test, test } from 'tap';
import { main } from '../../boot/cli.ts';
import { startChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';
import { bin, run } from './cli-app.ts';
import { COMMANDS } from './command-app.ts';
import { fakeTerminal } from './fake-terminal.ts';

root.setTimeout(600_000);

// ---- which command, on which host ------------------------------------------------------------------------------------

test('run list: names and what they do, by name; of twins the first by id', async (t) => {
  const { code, out, err } = await run(['run', t.testdir(COMMANDS), 'list']);
  t.same(
    [code, out],
    [0, ['broken', 'result       Gives what it is told', 'twin         the first', 'wait-for-it  Waits']],
  );
  t.same(err, []);
});

test('a command is found by its name, a process by its id; the arguments are texts', async (t) => {
  const dir = t.testdir(COMMANDS);
  t.equal((await run(['run', dir, 'twin'])).code, 1, 'the first by id');
  t.equal((await run(['run', dir, '-x', 'app:b_twin'])).code, 2);
  t.equal(
    (await run(['run', dir, '--exec', 'app:plain', 'a', '2', '--', '-c'])).code,
    3,
    'a process without a command',
  );
  t.equal((await run(['run', dir, 'result', 'seven'])).code, 7);
});

test('an unknown command, an unknown id and what is no process: exit 2 with a hint', async (t) => {
  const dir = t.testdir(COMMANDS);
  for (const [words, message] of [
    [['none'], /^perilune: command "none" not found\. .*perilune run list/],
    [['app:result'], /command "app:result" not found/],
    [['-x', 'app:none'], /command "app:none" not found\. There is no such entry.*run list/],
    [['-x', 'app:exit'], /command "app:exit" not found\. It is a function\.lua.*run list/],
  ] as const) {
    const { code, terminal, out } = await run(['run', dir, ...words]);
    t.equal(code, 2, words.join(' '));
    t.match(terminal.stderr(), message);
    t.same(out, []);
  }
});

const hosts = (...lines: readonly string[]) => ({
  '_index.yaml': `namespace: app
entries:
  - { name: seven, kind: process.lua, source: 'return function() return 7 end', meta: { command: { name: seven } } }
${lines.map((line) => `  - ${line}\n`).join('')}`,
});

test('the terminal host: the only one, or the one that is named', async (t) => {
  const none = await run(['run', t.testdir(hosts()), 'seven']);
  t.equal(none.code, 2);
  t.match(none.terminal.stderr(), /no terminal\.host found/);

  const two = t.testdir(
    hosts(
      '{ name: one, kind: terminal.host, lifecycle: { auto_start: true } }',
      '{ name: two, kind: terminal.host, lifecycle: { auto_start: true } }',
      '{ name: other, kind: process.host, lifecycle: { auto_start: true } }',
    ),
  );
  const several = await run(['run', two, 'seven']);
  t.equal(several.code, 2);
  t.match(several.terminal.stderr(), /several terminal\.host entries: app:one, app:two\. .*--host/);
  t.equal((await run(['run', two, 'seven', '--host', 'app:two'])).code, 7);
  for (const named of ['app:other', 'app:none']) {
    const wrong = await run(['run', two, '--host', named, 'seven']);
    t.equal(wrong.code, 2);
    t.match(wrong.terminal.stderr(), new RegExp(`--host: ${named} is no terminal\\.host.*app:one, app:two`));
  }
});

test('a host that does not run: exit 1, with the reason', async (t) => {
  const asleep = await run(['run', t.testdir(hosts('{ name: one, kind: terminal.host }')), 'seven']);
  t.equal(asleep.code, 1);
  t.match(asleep.terminal.stderr(), /app:one is not running: nothing starts it.*auto_start: true/);
});

test('a host that waits for a service which does not come is given up after 5 s', async (t) => {
  const dir = t.testdir(
    hosts(
      '{ name: one, kind: terminal.host, lifecycle: { auto_start: true, startup: optional, requires: [app:never] } }',
      '{ name: nowhere, kind: process.host, lifecycle: { startup: optional } }',
      `{ name: never, kind: process.service, process: absent, host: nowhere, lifecycle: { auto_start: true, startup: optional, restart: { initial_delay: 1m } } }`,
      `{ name: absent, kind: process.lua, source: 'error("never")' }`,
    ),
  );
  const begin = performance.now();
  const { code, terminal } = await run(['run', dir, 'seven']);
  t.equal(code, 1);
  t.match(terminal.stderr(), /app:one is not running: it did not start within 5s/);
  t.ok(performance.now() - begin >= 5000);
});

test('validate knows meta.command', async (t) => {
  const entry = (command: string) => ({
    '_index.yaml': `namespace: app\nentries:\n  - { name: a, kind: process.lua, source: 'return function() end', meta: { command: ${command} } }\n`,
  });
  for (const [command, message] of [
    ['{ short: no name }', /meta\.command\.name: is required/],
    ['{ name: "" }', /meta\.command\.name: /],
    ['{ name: a, short: [1] }', /meta\.command\.short: /],
    ['up', /meta\.command: /],
  ] as const) {
    const { code, terminal } = await run(['validate', t.testdir(entry(command))]);
    t.equal(code, 2, command);
    t.match(terminal.stderr(), message, command);
  }
  const good = await run(['validate', t.testdir(entry('{ name: a, short: text, main: true, other: 1 }'))]);
  t.same([good.code, good.err], [0, []]);
  const twins = await run(['validate', t.testdir(COMMANDS)]);
  t.equal(twins.code, 0);
  t.match(
    twins.terminal.stderr(),
    /meta\.command\.name: "twin" is the command of app:a_twin already: only -x app:b_twin .*\(warning\)/,
  );
});

// ---- the exit code ---------------------------------------------------------------------------------------------------

const CODES: Readonly<Record<string, number>> = {
  nothing: 0,
  nil: 0,
  table: 0,
  string: 0,
  zero: 0,
  seven: 7,
  large: 9,
  negative: 255,
  float: 3,
  nan: 1,
  inf: 1,
  minus_inf: 1,
  yes: 0,
  no: 1,
  second: 4,
  exit: 6,
  exit_elsewhere: 11,
  exit_large: 255,
};

test("the exit code is main's result; nothing but the process writes", async (t) => {
  const dir = t.testdir(COMMANDS);
  for (const [name, wanted] of Object.entries(CODES)) {
    const { code, terminal } = await run(['run', dir, 'result', name]);
    t.same([code, terminal.stdout(), terminal.stderr()], [wanted, '', ''], name);
    t.equal(terminal.listeners(), 0);
  }
});

test('system.exit: the process is told and has time where it listens, and is ended where it does not', async (t) => {
  const dir = t.testdir(COMMANDS);
  const begin = performance.now();
  const deaf = await run(['run', dir, '-o', 'app:terminal:lifecycle.stop_timeout=10m', 'result', 'exit_and_wait']);
  t.same([deaf.code, deaf.terminal.stderr()], [8, '']);
  t.ok(performance.now() - begin < 60_000, 'long before stop_timeout');
  const listening = await run(['run', dir, 'result', 'exit_and_listen']);
  t.same([listening.code, listening.out, listening.err], [9, ['heard of\tsystem.exit'], []]);
  const failing = await run(['run', dir, 'result', 'exit_and_fail']);
  t.equal(failing.code, 10);
  t.match(failing.terminal.stderr(), /after all/);
});

test('an error: its message on stderr, exit 1', async (t) => {
  const dir = t.testdir(COMMANDS);
  for (const [name, message] of [
    ['raise', /^result\.lua:16: it raised\n$/],
    ['raise_object', /^an object raised\n$/],
    ['error_text', /^a text\n$/],
    ['error_object', /^an object\n$/],
    ['only_error', /^an object alone\n$/],
    ['no such result', /attempt to call a nil value/],
  ] as const) {
    const { code, terminal } = await run(['run', dir, 'result', name]);
    t.equal(code, 1, name);
    t.match(terminal.stderr(), message);
    t.equal(terminal.stdout(), '');
  }
  const broken = await run(['run', dir, 'broken']);
  t.equal(broken.code, 1);
  t.match(broken.terminal.stderr(), /^perilune: failed to create process: .*at the top\n$/);
});

// ---- the log ---------------------------------------------------------------------------------------------------------

test('logs are suppressed unless log flags are given, and never on stdout', async (t) => {
  const dir = t.testdir(COMMANDS);
  const logOf = async (...flags: string[]) => {
    const { code, terminal } = await run(['run', dir, ...flags, 'result', 'logs']);
    t.same([code, terminal.stdout()], [0, ''], flags.join());
    return terminal.stderr();
  };
  t.equal(await logOf(), '');
  t.equal(await logOf('-s'), '');
  for (const flag of ['-c', '-v', '--very-verbose']) {
    const text = await logOf(flag);
    t.match(text, /said to the log/, flag);
    t.match(text, /printed to the log/, flag);
  }
});

test('hide_logs: none while the process runs', async (t) => {
  const dir = t.testdir(COMMANDS);
  const hide = ['-o', 'app:terminal:hide_logs=true'];
  const { terminal } = await run(['run', dir, '-v', ...hide, 'result', 'logs']);
  t.notMatch(terminal.stderr(), /to the log/);
  t.match(
    (await run(['run', dir, '-v', '-o', 'app:terminal:hide_logs=false', 'result', 'logs'])).terminal.stderr(),
    /to the log/,
  );
});

// ---- signals ---------------------------------------------------------------------------------------------------------

const waiting = async (t: Test, ...how: string[]) => {
  const child = startChild(t, process.execPath, [bin, 'run', t.testdir(COMMANDS), 'wait-for-it', ...how], {
    stdin: { isOpen: true },
  });
  await poll('it waits', () => child.stdout.length > 0);
  return child;
};

test('SIGINT and SIGTERM are a CANCEL event; the process ends as it likes, with its own code', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = await waiting(t, 'code');
    child.signal(signal);
    t.same(await child.exited, { code: 42, signal: null });
    t.match(child.stdout, [/^waiting/, new RegExp(`^pid\\.cancel\t${signal}\t\\{.*app:terminal`), 'cleaned up']);
    t.same(child.stderr, []);
  }
  const quiet = await waiting(t);
  quiet.signal('SIGTERM');
  t.equal((await quiet.exited).code, 0);
});

test("a process that does not listen is ended after its host's stop_timeout", async (t) => {
  const child = await waiting(t, 'deaf');
  const begin = performance.now();
  child.signal('SIGTERM');
  t.equal((await child.exited).code, 1);
  t.ok(performance.now() - begin >= 2990);
  t.same(child.stderr, ['process terminated']);
});

test('the second signal ends it at once with 1', async (t) => {
  const dir = t.testdir(COMMANDS);
  const overrides = ['-o', 'app:terminal:lifecycle.stop_timeout=10m', '--set', 'shutdown.timeout=20m'];
  const child = startChild(t, process.execPath, [bin, 'run', dir, ...overrides, 'wait-for-it', 'deaf']);
  await poll('it waits', () => child.stdout.length > 0);
  child.signal('SIGINT');
  await poll('it has seen the first', () => {
    child.signal('SIGINT');
    return child.exit();
  });
  t.same(await child.exited, { code: 1, signal: null });
});

test('a signal during the start: the process never runs', async (t) => {
  const terminal = fakeTerminal();
  const done = main(['run', t.testdir(COMMANDS), 'wait-for-it'], terminal);
  terminal.signal('SIGTERM');
  t.equal(await done, 1);
  t.equal(terminal.stdout(), '');
  t.equal(terminal.listeners(), 0);
});

test('an error that nobody caught: told on stderr, the process is asked to end, exit 1', async (t) => {
  const terminal = fakeTerminal();
  const done = main(['run', t.testdir(COMMANDS), 'wait-for-it', 'code'], terminal);
  await poll('it waits', () => terminal.stdout() !== '');
  terminal.uncaught(new Error('out of the blue'));
  t.equal(await done, 1);
  t.match(terminal.stderr(), /^perilune: Error: out of the blue/);
  t.match(terminal.stdout(), /cleaned up/);
});

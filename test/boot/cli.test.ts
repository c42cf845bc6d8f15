import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Test, test } from 'tap';
import { main } from '../../boot/cli.ts';
import { runChild, startChild } from '../harness/child.ts';
import { startOtlpCollector } from '../harness/otlp-collector.ts';
import { poll } from '../harness/poll.ts';
import { fakeTerminal } from './fake-terminal.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const bin = `${project}bin/perilune.js`;
const e2e = `${project}test/e2e/app`;

const SUM = 'return { main = function(...) local s = 0; for _, n in ipairs({...}) do s = s + n end; return s end }';
const BREAK = `local function inner()
  error(errors.new({ message = "on fire", kind = errors.CONFLICT }))
end
return { main = function() inner() end }`;
const APP = {
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
const run = async (argv: readonly string[], variables: Record<string, string> = {}) => {
  const terminal = fakeTerminal(variables);
  return { code: await main(argv, terminal), terminal, out: terminal.outLines(), err: terminal.errLines() };
};
const perilune = (t: Test, args: readonly string[], env: Record<string, string> = {}) =>
  runChild(t, process.execPath, [bin, ...args], { env, cwd: project });

// ---- versions, help, wrong words -----------------------------------------------------------------------------------

test('--version prints four lines, --help and no words at all the help', async (t) => {
  const { code, out, err } = await run(['--version']);
  t.equal(code, 0);
  t.same(err, []);
  t.equal(out.length, 4);
  t.match(out[0], /^perilune \d+\.\d+\.\d+$/);
  t.equal(out[1], `node ${process.version}`);
  t.match(out[2], /^otel \d+\.\d+\.\d+$/);
  t.equal(out[3], 'lua fengari 0.1.5 (5.3)');
  for (const words of [[], ['--help']]) {
    const help = await run(words);
    t.equal(help.code, 0);
    t.match(help.out.join('\n'), /perilune validate <dir>/);
  }
});

test('wrong words: exit 2, the reason on stderr, nothing on stdout', async (t) => {
  const dir = t.testdir(APP);
  for (const [argv, message] of [
    [['serve'], /unknown command "serve"/],
    [['validate'], /validate takes one folder/],
    [['validate', dir, 'more'], /validate takes one folder/],
    [['validate', `${dir}/none`], /no such folder/],
    [['validate', `${dir}/sum.lua`], /not a folder/],
    [['run', './nowhere/at/all'], /no such folder/],
    [['invoke', dir], /invoke takes a folder and a function/],
    [['invoke', dir, 'app:sum', '{"a":'], /argument 1 is not JSON/],
    [['invoke', dir, 'app:sum', '1', 'words'], /argument 2 is not JSON/],
    [['invoke', dir, 'app:none'], /app:none: no such function/],
    [['test'], /test takes one folder/],
    [['test', dir, '--reporter', 'xml'], /--reporter/],
    [['run', dir, 'migrate', 'up'], /command "migrate" not found\..*run list/],
    [['run', dir, '-x', 'app:migrate'], /command "app:migrate" not found\..*run list/],
  ] as const) {
    const { code, out, terminal } = await run(argv);
    t.equal(code, 2, argv.join(' '));
    t.match(terminal.stderr(), message);
    t.same(out, []);
  }
});

test('run list ends at once with 0', async (t) => {
  const { code, out, err } = await run(['run', t.testdir(APP), 'list']);
  t.equal(code, 0);
  t.same(out, []);
  t.match(err.join(), /no commands/);
});

// ---- validate ------------------------------------------------------------------------------------------------------

test('validate: ok and the counts; warnings go to stderr and change nothing', async (t) => {
  const dir = t.testdir({ ...APP, more: { 'x.yaml': 'namespace: more\nentries: [{name: a, kind: odd.kind}]\n' } });
  const { code, out, err } = await run(['validate', dir]);
  t.equal(code, 0);
  t.same(out, ['ok: 5 entries in 2 files']);
  t.equal(err.length, 1);
  t.match(err[0], /^more\/x\.yaml:2:\d+: .*odd\.kind.*\(warning\)$/);
});

test('validate: everything that is wrong at once, as file:line:col: path: text, exit 2', async (t) => {
  const dir = t.testdir({
    '_index.yaml': `namespace: app
entries:
  - { name: a, kind: function.lua, method: main }
  - { name: b, kind: function.lua, source: file://b.lua, method: main }
  - { name: c, kind: queue.consumer, queue: missing, func: a }
`,
    'b.lua': 'local x = \nreturn {',
    'perilune.yaml': 'telemetry: { listn: "127.0.0.1:1" }\n',
  });
  const { code, out, err } = await run(['validate', dir, '--set', 'shutdown.timeout=5', '--set', 'nope']);
  t.equal(code, 2);
  t.same(out, []);
  for (const line of [
    /^_index\.yaml:3:\d+: .*source is required/,
    /^b\.lua:\d+:?.*/,
    /^_index\.yaml:5:\d+: entries\[2\]\.queue: .*app:missing/,
    /^perilune\.yaml:1:\d+: telemetry\.listn: .*listen/,
    /^--set: shutdown\.timeout: .*duration/,
    /^--set: /,
  ]) {
    t.equal(err.filter((one) => line.test(one)).length > 0, true, String(line));
  }
  const started = await run(['run', dir, '--set', 'shutdown.timeout=5', '--set', 'nope']);
  t.equal(started.code, 2, 'rule 96: what validate refuses, run refuses with the same words');
  t.same([...started.err].sort(), [...err].sort());
});

test('rule 128: --explain: each value with its origin, secrets as ***, variables without a key under their name', async (t) => {
  const dir = t.testdir({
    ...APP,
    'perilune.yaml': 'shutdown:\n  timeout: 1m\notel: { headers: { x-key: s3cret }, service_name: from-file }\n',
  });
  const { code, out, terminal } = await run(['validate', dir, '--explain', '--set', 'relay.node_name=n1'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:s3cret@127.0.0.1:4318',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=s3cret',
    OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
    OTEL_BSP_SCHEDULE_DELAY: '700',
    OTEL_PROPAGATORS: 'tracecontext',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=from-attributes',
    LOG_LEVEL_QUEUE: 'debug',
  });
  t.equal(code, 0);
  for (const line of [
    'metrics.namespace = wippy  (default)',
    'otel.batch.export_timeout = 10s  (default)',
    'shutdown.timeout = 1m  (perilune.yaml:2)',
    'relay.node_name = n1  (--set)',
    'logger.levels.queue = debug  (env LOG_LEVEL_QUEUE)',
    'otel.enabled = true  (env OTEL_EXPORTER_OTLP_ENDPOINT)',
    'otel.endpoint = http://***@127.0.0.1:4318  (env OTEL_EXPORTER_OTLP_ENDPOINT)',
    'otel.headers.x-key = ***  (perilune.yaml:3)',
    'otel.batch.schedule_delay = 700ms  (env OTEL_BSP_SCHEDULE_DELAY)',
    'otel.propagators = ["tracecontext"]  (env OTEL_PROPAGATORS)',
    'otel.metrics_enabled = true  (env OTEL_METRICS_EXPORTER)',
    'otel.service_name = from-attributes  (env OTEL_RESOURCE_ATTRIBUTES)',
    'OTEL_EXPORTER_OTLP_TIMEOUT = 5000  (env OTEL_EXPORTER_OTLP_TIMEOUT)',
    'OTEL_EXPORTER_OTLP_TRACES_HEADERS = ***  (env OTEL_EXPORTER_OTLP_TRACES_HEADERS)',
  ]) {
    t.equal(out.filter((one) => one === line).length, 1, line);
  }
  t.notMatch(terminal.stdout() + terminal.stderr(), /s3cret/);
  t.equal(out.at(-1), 'ok: 4 entries in 1 files');
});

test('--explain: OTEL_SDK_DISABLED beats --set', async (t) => {
  const { out } = await run(['validate', t.testdir(APP), '--explain', '--set', 'otel.enabled=true'], {
    OTEL_SDK_DISABLED: 'true',
  });
  t.ok(out.includes('otel.enabled = false  (env OTEL_SDK_DISABLED)'));
});

test('--explain: each entry with its kind and the interceptors that wrap its sites', async (t) => {
  const rows = async (...sets: string[]) => {
    const { out } = await run(['validate', e2e, '--explain', ...sets.flatMap((one) => ['--set', one])]);
    return (id: string) => out.find((line) => line.startsWith(`${id}  `))?.slice(id.length + 2);
  };
  const byDefault = await rows();
  t.equal(byDefault('e2e:gateway'), 'http.service');
  t.equal(byDefault('e2e:hello.endpoint'), 'http.endpoint  guard 10 > metrics 50 > logging 120', 'nothing is traced');
  const traced = await rows('otel.enabled=true');
  t.equal(traced('e2e:hello.endpoint'), 'http.endpoint  guard 10 > metrics 50 > tracing 100 > logging 120');
  t.equal(traced('e2e:hello'), 'function.lua  retry 20 > timeout 30 > metrics 50 > tracing 100');
  t.equal(traced('e2e:jobs'), 'queue.queue  metrics 50 > tracing 100');
  t.equal(traced('e2e:worker'), 'queue.consumer  metrics 50 > logging 120');
  t.equal(traced('e2e:kv'), 'store.memory  metrics 50 > logging 120');
  const changed = await rows(
    'otel.enabled=true',
    'otel.http.enabled=false',
    'otel.kv.spans=true',
    'interceptors.guard.enabled=false',
    'metrics.interceptor.order=110',
  );
  t.equal(changed('e2e:hello.endpoint'), 'http.endpoint  metrics 110 > logging 120');
  t.equal(
    changed('e2e:hello'),
    'function.lua  retry 20 > timeout 30 > tracing 100 > metrics 110',
    'in the order of the boot file',
  );
  t.equal(changed('e2e:kv'), 'store.memory  tracing 100 > metrics 110 > logging 120');
  const off = await rows('metrics.interceptor.enabled=false');
  t.equal(off('e2e:jobs'), 'queue.queue  no interceptor');
  const excluded = await rows(
    'otel.enabled=true',
    'otel.http.exclude=[e2e:hello.endpoint]',
    'metrics.http_exclude=[/stats]',
  );
  t.equal(excluded('e2e:hello.endpoint'), 'http.endpoint  guard 10 > metrics 50 > logging 120');
  t.equal(excluded('e2e:stats.endpoint'), 'http.endpoint  guard 10 > tracing 100 > logging 120');
});

// ---- invoke --------------------------------------------------------------------------------------------------------

test('invoke: one line of JSON on stdout, the trace on stderr', async (t) => {
  const dir = t.testdir(APP);
  const sum = await run(['invoke', dir, 'app:sum', '1', '2', '39']);
  t.equal(sum.code, 0);
  t.same(sum.out, ['42']);
  t.match(sum.err, [/^trace [0-9a-f]{32}$/]);
  const echo = async (text: string) => (await run(['invoke', dir, 'app:echo', text])).out;
  t.same(await echo('{"a":[1,2.5,"x\\ny"],"b":null}'), ['{"a":[1,2.5,"x\\ny"]}']);
  t.same(await echo('"text"'), ['"text"']);
  t.same(await echo('null'), ['null']);
  t.same((await run(['invoke', dir, 'app:echo', '--', '-1'])).out, ['-1'], 'a negative number after --');
});

test('invoke: a failure is `<Kind>: <message>` with the Lua traceback on stderr, exit 1', async (t) => {
  const { code, out, err } = await run(['invoke', t.testdir(APP), 'app:break']);
  t.equal(code, 1);
  t.same(out, []);
  t.match(err[0], /^trace [0-9a-f]{32}$/);
  t.match(err[1], /^Conflict: .*on fire$/);
  t.equal(err[2], 'stack traceback:');
  t.match(err.slice(3).join('\n'), /break\.lua:2: in function 'inner'\n\tbreak\.lua:4:/);
});

test('invoke: the printed trace is that of the exported span, and of the log lines', async (t) => {
  const collector = await startOtlpCollector();
  t.teardown(() => collector.close());
  const dir = t.testdir(APP);
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const { code, err } = await run(['invoke', dir, 'app:say', '"hi"'], variables);
  t.equal(code, 0);
  const printed = err.find((line) => line.startsWith('trace '))?.slice(6);
  t.equal(collector.span({ name: 'app:say' }).traceId, printed, 'the flush is over when invoke ends');
  const said = err.map((line) => (line.startsWith('{') ? JSON.parse(line) : {})).find(({ msg }) => msg === 'hi');
  t.equal(said?.trace_id, printed);
  const untraced = await run(['invoke', dir, 'app:say', '"hi"']);
  const line = untraced.err.find((one) => one.startsWith('{')) ?? '{}';
  t.equal(JSON.parse(line).trace_id, untraced.err.find((one) => one.startsWith('trace '))?.slice(6), 'tracing off');
});

test('invoke opens nothing: neither the app nor the operations port listens', async (t) => {
  const blocker = createServer();
  t.teardown(() => new Promise<void>((resolve) => blocker.close(() => resolve())));
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const { port } = blocker.address() as { port: number };
  const args = ['--set', 'telemetry.enabled=true', '--set', `telemetry.listen=127.0.0.1:${port}`];
  const { code, out } = await run(['invoke', e2e, 'e2e:compute', '[1,2]', ...args], { E2E_PORT: String(port) });
  t.equal(code, 0);
  t.same(out, ['3']);
  const started = await run(['run', e2e, ...args]);
  t.equal(started.code, 1, 'where they are opened, the port is in use');
  t.match(started.terminal.stderr(), new RegExp(`telemetry\\.listen: 127\\.0\\.0\\.1:${port} is in use`));
  t.equal(started.terminal.listeners(), 0, 'a failed start leaves no signal listener');
});

// ---- run -----------------------------------------------------------------------------------------------------------

test('run: what listens where on stdout, lines of JSON on stderr; SIGTERM ends it with 0', async (t) => {
  const terminal = fakeTerminal();
  const done = main(['run', e2e, '--set', 'telemetry.enabled=true', '--set', 'telemetry.listen=127.0.0.1:0'], terminal);
  await poll('it has started', () => terminal.stdout().includes('traces:'));
  const [service = '', attempt = '', operations = '', traces = ''] = terminal.outLines();
  t.match(service, /^e2e:gateway listens on http:\/\/127\.0\.0\.1:\d+$/);
  const url = /curl (\S+)$/.exec(attempt)?.[1] ?? '';
  t.equal((await fetch(url)).status, 200, `${url} is worth a try`);
  const ready = /readiness: (\S+)$/.exec(operations)?.[1] ?? '';
  t.equal((await fetch(ready)).status, 200);
  t.match(traces, /^traces: off .*OTEL_EXPORTER_OTLP_ENDPOINT/);
  terminal.signal('SIGTERM');
  t.equal(await done, 0);
  t.equal(terminal.outLines().length, 4, 'nothing else on stdout');
  t.ok(terminal.errLines().length > 0);
  for (const line of terminal.errLines()) t.match(JSON.parse(line), { subsystem: String, level: String });
  t.equal(terminal.listeners(), 0);
  t.same(terminal.exits, []);
});

test('-s silences the log, -v shows debug lines, -c writes for people', async (t) => {
  const logOf = async (option: string): Promise<string> => {
    const terminal = fakeTerminal();
    const done = main(['run', e2e, option], terminal);
    await poll('it has started', () => terminal.stdout().includes('traces:'));
    const url = /curl (\S+)/.exec(terminal.stdout())?.[1]?.replace('/hello', '/stats') ?? '';
    await (await fetch(url)).text();
    terminal.signal('SIGINT');
    t.equal(await done, 0);
    return terminal.stderr();
  };
  t.equal(await logOf('-s'), '');
  t.match(await logOf('-v'), /"level":"debug"/);
  const console = await logOf('-c');
  t.match(console, /request/);
  t.notMatch(console, /^\{/m);
});

test('rule 109: a second signal ends with 1 at once; an error that nobody caught stops the program with 1', async (t) => {
  const terminal = fakeTerminal();
  const done = main(['run', e2e], terminal);
  await poll('it has started', () => terminal.stdout().includes('traces:'));
  terminal.signal('SIGTERM');
  t.same(terminal.exits, []);
  terminal.signal('SIGTERM');
  t.same(terminal.exits, [1]);
  t.equal(await done, 0);
  const crashing = fakeTerminal();
  const crashed = main(['run', e2e], crashing);
  await poll('it has started', () => crashing.stdout().includes('traces:'));
  crashing.uncaught(new Error('out of the blue'));
  t.equal(await crashed, 1);
  t.match(crashing.stderr(), /out of the blue/);
});

test('rule 109: a signal during the start ends the program with 0', async (t) => {
  const terminal = fakeTerminal();
  const done = main(['run', e2e], terminal);
  terminal.signal('SIGTERM');
  t.equal(await done, 0);
  t.notMatch(terminal.stdout(), /listens/);
});

test('rule 126: a public bind of the operations port warns, a loopback one does not', async (t) => {
  const logOf = async (listen: string): Promise<string> => {
    const terminal = fakeTerminal();
    const done = main(['run', e2e, '--set', 'telemetry.enabled=true', '--set', `telemetry.listen=${listen}`], terminal);
    await poll('it has started', () => terminal.stdout().includes('traces:'));
    terminal.signal('SIGTERM');
    await done;
    return terminal.stderr();
  };
  t.match(await logOf('0.0.0.0:0'), /"level":"warn".*telemetry\.listen: 0\.0\.0\.0:\d+ can be reached/);
  t.notMatch(await logOf('127.0.0.1:0'), /"level":"warn"/);
});

// ---- processes -----------------------------------------------------------------------------------------------------

test('a process: logs on stderr as JSON lines, exit 0 after SIGTERM, also under load of nothing', async (t) => {
  const child = startChild(t, process.execPath, [bin, 'run', e2e], { cwd: project });
  await poll('it has started', () => child.stdout.some((line) => line.startsWith('traces:')));
  child.signal('SIGTERM');
  t.equal((await child.exited).code, 0);
  t.match(child.stdout[0], /^e2e:gateway listens on /);
  for (const line of child.stderr) t.doesNotThrow(() => JSON.parse(line), line);
});

test('the process ends by itself after each command, with its code', async (t) => {
  const dir = t.testdir({
    ...APP,
    'tests.yaml':
      'namespace: tests\nentries: [{name: one, kind: function.lua, source: "return function() end", method: x, meta: {type: test}}]\n',
  });
  for (const [args, code] of [
    [['validate', dir], 0],
    [['validate', `${dir}/none`], 2],
    [['invoke', dir, 'app:sum', '1'], 0],
    [['invoke', dir, 'app:break'], 1],
    [['test', dir], 0],
    [['run', dir, 'no-such-command'], 2],
  ] as const) {
    t.equal((await perilune(t, args)).code, code, args[0]);
  }
});

test('main itself leaves nothing open: a process without process.exit ends as well', async (t) => {
  const dir = t.testdir(APP);
  const script = (argv: readonly string[]): string =>
    `const { main } = await import(${JSON.stringify(`${project}boot/cli.ts`)}); process.exitCode = await main(${JSON.stringify(argv)});`;
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_METRICS_EXPORTER: 'otlp' };
  for (const argv of [
    ['invoke', dir, 'app:sum', '1'],
    ['test', dir],
    ['validate', e2e, '--explain'],
    ['invoke', e2e, 'e2e:compute', '[1]'],
  ]) {
    const ended = startChild(t, process.execPath, ['--input-type=module', '-e', script(argv)], { env, cwd: project });
    t.equal((await poll(`${argv[0]} ends`, () => ended.exit())).code, 0, argv[0]);
  }
});

test('a reader that goes away early is no error', async (t) => {
  const command = `"${process.execPath}" "${bin}" validate --explain "${e2e}" | head -1`;
  const { stdout, stderr } = await runChild(t, 'bash', ['-c', command]);
  t.same([stdout.length, stderr], [1, []]);
});

import { createServer } from 'node:net';
import { test } from 'tap';
import { main } from '../../boot/cli.ts';
import { startOtlpCollector } from '../harness/otlp-collector.ts';
import { poll } from '../harness/poll.ts';
import { APP, e2e, run } from './cli-app.ts';
import { fakeTerminal } from './fake-terminal.ts';

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

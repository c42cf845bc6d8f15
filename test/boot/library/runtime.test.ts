import { test } from 'tap';
import { CallError, createRuntime, DeclarationError, type Runtime } from '../../../boot/library.ts';
import { poll } from '../../harness/poll.ts';
import { parsePrometheusText, total } from '../../harness/prometheus-text.ts';
import { APP, startRuntime } from './start-runtime.ts';

const calls = async (runtime: Runtime, id: string): Promise<number> =>
  total(parsePrometheusText(await runtime.metricsText()), 'wippy_function_calls', { function_id: id }) ?? 0;

test('a host program calls functions with plain data and gets plain data', async (t) => {
  const runtime = await startRuntime(t);
  t.same(await runtime.call('app:echo', ['a', 1.5, true, null, [1, 2], { b: { c: 'd' } }]), [
    'a',
    1.5,
    true,
    null,
    [1, 2],
    { b: { c: 'd' } },
  ]);
  t.equal(await runtime.call('app:who', [], { values: { user: 'ada' } }), 'ada');
  t.equal(await runtime.call('app:who'), null);
});

test('what a function fails with reaches the host as a CallError', async (t) => {
  const runtime = await startRuntime(t);
  const error = await runtime.call('app:fail').catch((thrown: unknown) => thrown);
  t.ok(error instanceof CallError);
  t.match(error, { kind: 'Conflict', message: /on purpose/ });
  await t.rejects(runtime.call('app:none'), { kind: 'NotFound', message: /./ });
});

test('a signal of the host cancels its call', async (t) => {
  const runtime = await startRuntime(t);
  const controller = new AbortController();
  const waiting = runtime.call('app:wait', ['1m'], { signal: controller.signal });
  controller.abort();
  await t.rejects(waiting, { kind: 'Canceled', message: 'call canceled by the host program' });
  await t.rejects(runtime.call('app:wait', ['1m'], { signal: controller.signal }), { kind: 'Canceled', message: /./ });
  await t.rejects(runtime.call('app:wait', ['1m'], { signal: AbortSignal.timeout(10) }), {
    kind: 'Timeout',
    message: /./,
  });
  t.equal(await runtime.call('app:wait', ['1ms'], { signal: AbortSignal.timeout(60_000) }), 'waited');
});

test('rule 129: two runtimes in one process keep separate numbers', async (t) => {
  const one = await startRuntime(t, { build: { version: '1.2.3', revision: 'abc' } });
  const two = await startRuntime(t, { set: { 'metrics.namespace': 'other' } });
  for (let i = 0; i < 3; i += 1) await one.call('app:echo', [i]);
  await two.call('app:echo');
  t.equal(await calls(one, 'app:echo'), 3);
  const text = await two.metricsText();
  t.match(text, /^other_function_calls\{function_id="app:echo",status="success"\} 1$/m);
  t.notMatch(text, /^wippy_/m);
  t.match(await one.metricsText(), /^wippy_build_info\{command="embed",.*revision="abc",version="1\.2\.3"\} 1$/m);
  t.match(text, /^other_build_info\{command="embed",/m);
  t.same(
    (await one.renderMetrics({ accept: 'application/openmetrics-text' })).contentType.split(';')[0],
    'application/openmetrics-text',
  );
});

test('nothing is read from the environment but what the host passes', async (t) => {
  process.env.LOG_LEVEL = 'nonsense'; // would warn
  process.env.OTEL_METRICS_EXPORTER = 'prometheus'; // would open the operations port
  t.teardown(() => {
    delete process.env.LOG_LEVEL;
    delete process.env.OTEL_METRICS_EXPORTER;
  });
  const lines: string[] = [];
  const write = (_fields: unknown, message: string): void => void lines.push(message);
  const logger = { debug: write, info: write, warn: write, error: write };
  const deaf = await startRuntime(t, { logger });
  t.equal(deaf.operationsAddress(), undefined);
  t.notMatch(lines.join('\n'), /LOG_LEVEL/);
  const listening = await startRuntime(t, {
    logger,
    variables: process.env,
    set: { 'telemetry.listen': '127.0.0.1:0' },
  });
  t.match(listening.operationsAddress(), /^127\.0\.0\.1:\d+$/);
  t.match(lines.join('\n'), /LOG_LEVEL/);
});

test('what is wrong with the app or the options is told when the runtime is made', async (t) => {
  t.throws(() => createRuntime({ dir: new URL('nowhere', APP) }), /nowhere is no folder/);
  t.throws(() => createRuntime({ dir: APP, set: { 'logger.levle': 'info' } }), DeclarationError);
  t.throws(() => createRuntime({ dir: APP, override: { 'app:echo:method': 5 } }), DeclarationError);
  t.throws(() => createRuntime({ dir: APP, config: '/no/such/perilune.yaml' }), DeclarationError);
});

test('it has one life: calls before the start, after the stop and a second start are refused', async (t) => {
  const runtime = createRuntime({ dir: APP });
  await t.rejects(runtime.call('app:echo'), { kind: 'Unavailable', message: /has not started/ });
  await runtime.start();
  await t.rejects(runtime.start(), /started already/);
  const [web] = runtime.addresses();
  t.equal(await (await fetch(`http://${web?.address}/page`)).text(), 'page');
  t.equal(await runtime.stop(), true);
  t.equal(await runtime.stop(), true);
  t.same(runtime.addresses(), []);
  await t.rejects(runtime.call('app:echo'), { kind: 'Unavailable', message: /has stopped/ });
  await t.rejects(fetch(`http://${web?.address}/page`));
  const unused = createRuntime({ dir: APP });
  t.equal(await unused.stop(), true);
  await t.rejects(unused.start(), /was stopped/);
  await t.rejects(unused.call('app:echo'), { kind: 'Unavailable', message: /has stopped/ });
});

test('a stop that cuts a start short fails that start, and nothing is left of it', async (t) => {
  const runtime = createRuntime({ dir: APP });
  const starting = t.rejects(runtime.start(), /was stopped while it started/);
  t.equal(await runtime.stop(), true);
  await starting;
  t.same(runtime.addresses(), []);
  await t.rejects(runtime.call('app:echo'), { kind: 'Unavailable', message: /has stopped/ });
});

test('the stop waits for calls that run, and cancels what outlasts its time', async (t) => {
  const patient = await startRuntime(t);
  const waiting = patient.call('app:wait', ['100ms']);
  const stopped = patient.stop();
  await t.rejects(patient.call('app:echo'), { kind: 'Unavailable', message: 'draining', retryable: true });
  t.equal(await waiting, 'waited');
  t.equal(await stopped, true);

  const hasty = await startRuntime(t, { set: { 'shutdown.timeout': '150ms', 'shutdown.flush_timeout': '50ms' } });
  const cut = hasty.call('app:wait', ['10m']);
  const [outcome] = await Promise.all([cut.catch((error: unknown) => error), hasty.stop()]);
  t.match(outcome, { kind: 'Canceled', message: 'the runtime stops' });
  t.equal(await hasty.stop(), false, 'something was lost');
});

test('rule 111: ten lives leave no handle, timer or listener', async (t) => {
  const handles = () =>
    process
      .getActiveResourcesInfo()
      .filter((one) => !/^(TTY|Pipe)Wrap$/.test(one))
      .sort();
  const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
  const live = async (): Promise<void> => {
    const idle = handles().length;
    const runtime = createRuntime({ dir: APP });
    await runtime.start();
    await runtime.call('app:echo');
    t.ok(handles().length > idle, 'a running one holds some');
    await runtime.stop();
  };
  const before = { handles: handles(), listeners: listeners() };
  for (let i = 0; i < 10; i += 1) await live();
  // What counts open files is on its way when it is told to stop.
  await poll('everything was given back', () => JSON.stringify(handles()) === JSON.stringify(before.handles));
  t.same(listeners(), before.listeners);
});

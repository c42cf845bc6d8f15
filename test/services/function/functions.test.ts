import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { CallError } from '../../../runtime/errors.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { CAUSE, FUNCTIONS } from '../../../services/function/port.ts';
import { poll } from '../../harness/poll.ts';
import { lua, surfaceBench } from '../surface-bench.ts';

test('rule 11: every call counts, also one that returns nothing; failures have their own status', async (t) => {
  const bench = await surfaceBench(t, [lua('app:nothing', ''), lua('app:fails', `error('boom')`)]);
  await bench.call('app:nothing');
  await bench.call('app:nothing');
  await t.rejects(bench.call('app:fails'), { message: /boom/, kind: 'Internal' });
  t.same(bench.rows('function_calls'), [
    'function_id=app:fails,status=error 1',
    'function_id=app:nothing,status=success 2',
  ]);
  t.same(bench.rows('function_duration'), ['function_id=app:fails 1', 'function_id=app:nothing 2']);
  t.same(bench.lines, [], 'a call has no line of its own');
});

test('rule 4: in-flight is 0 again after success, Lua error, host exception, cancel and a kill', async (t) => {
  const bench = await surfaceBench(t, [
    lua(
      'app:f',
      `local what = ...
      if what == 'error' then error('x') elseif what == 'host' then host.fail() elseif what == 'wait' then host.sleep(60000)
      elseif what == 'spin' then while true do end end`,
      { limits: { cpu_ms: 20 } },
    ),
  ]);
  const inFlight = () => bench.rows('function_in_flight');
  await bench.call('app:f', ['ok']);
  await t.rejects(bench.call('app:f', ['error']));
  await t.rejects(bench.call('app:f', ['host']));
  const controller = new AbortController();
  const waiting = bench.call('app:f', ['wait'], rootContext.withSignal(controller.signal));
  t.same(inFlight(), ['function_id=app:f 1']);
  controller.abort(new CallError('left', { kind: 'Canceled' }));
  await t.rejects(waiting, { kind: 'Canceled', message: 'left' });
  await t.rejects(bench.call('app:f', ['spin']), { message: 'limit exceeded: cpu_ms 20 in app:f', retryable: false });
  t.same(inFlight(), ['function_id=app:f 0']);
  t.same(bench.rows('function_killed_total'), ['function_id=app:f,reason=cpu 1']);
});

test('a name of ours that Lua would take before its first use is refused, and the kill is counted', async (t) => {
  const bench = await surfaceBench(t, [lua('app:f', 'while true do end', { limits: { cpu_ms: 20 } })]);
  t.match(bench.env.collector.dynamic.gaugeSet('wippy_function_killed_total', 1, {}), {
    ok: false,
    problem: /taken by the runtime/,
  });
  await t.rejects(bench.call('app:f'), { message: 'limit exceeded: cpu_ms 20 in app:f' });
  t.same(bench.rows('function_killed_total'), ['function_id=app:f,reason=cpu 1']);
});

test('an unknown target is NotFound with its id', async (t) => {
  const bench = await surfaceBench(t, []);
  await t.rejects(bench.call('app:none'), {
    kind: 'NotFound',
    message: 'no handler registered for target',
    details: { target: 'app:none' },
  });
  t.equal(bench.env.use(FUNCTIONS).has('app:none'), false);
});

test('span: Server for a root, Internal below one, the cause where there is one', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:outer', `return funcs.call('app:inner')`),
    lua('app:inner', 'return 1'),
  ]);
  await bench.call('app:outer');
  const outer = bench.recorder.span({ name: 'app:outer' });
  const inner = bench.recorder.span({ name: 'app:inner' });
  t.equal(outer.kind, 'server');
  t.equal(outer.parentSpanId, '');
  t.same(outer.attributes, {
    'faas.name': 'app:outer',
    'code.function.name': 'main',
    'code.file.path': '_index.yaml',
  });
  t.equal(inner.kind, 'internal');
  t.equal(inner.parentSpanId, outer.spanId);

  bench.recorder.clear();
  const cause = { kind: 'consumer', attributes: { 'messaging.system': 'x' } } as const;
  await bench.call('app:outer', [], rootContext.with(CAUSE, cause));
  t.match(bench.recorder.span({ name: 'app:outer' }), { kind: 'consumer', attributes: { 'messaging.system': 'x' } });
  t.equal(bench.recorder.span({ name: 'app:inner' }).kind, 'internal', 'the cause is private to the one call');
});

test('rule 51: otel.interceptor.enabled off makes no function span, and the trace passes through', async (t) => {
  const bench = await surfaceBench(t, [lua('app:f', '')], { spans: { function: false } });
  await bench.call('app:f');
  t.same(bench.recorder.spans(), []);
  t.same(bench.rows('function_calls'), ['function_id=app:f,status=success 1'], 'metrics do not depend on it');
});

test('options: meta.options under those of with_options, visible to interceptors, private to the call', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:caller', `funcs.new():with_options({timeout = '9s', extra = 1}):call('app:f')`),
    lua('app:f', `host.options(); funcs.call('app:leaf')`, {
      meta: { options: { timeout: '1s', retry: { max_attempts: 2 } } },
    }),
    lua('app:leaf', 'host.options()'),
  ]);
  await bench.call('app:caller');
  await bench.call('app:f');
  t.same(bench.options, [
    ['app:f', { timeout: '9s', extra: 1, retry: { max_attempts: 2 } }],
    ['app:leaf', {}],
    ['app:f', { timeout: '1s', retry: { max_attempts: 2 } }],
    ['app:leaf', {}],
  ]);
});

test('a pool of one makes calls wait, in order, and the gauge shows it', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `local n = ...; host.note('begin ' .. n); host.sleep(20); host.note('end ' .. n)`, {
      pool: { type: 'lazy', max_size: 1 },
    }),
  ]);
  const calls = [1, 2, 3].map((n) => bench.call('app:f', [n]));
  t.same(bench.rows('function_waiting'), ['function_id=app:f 2']);
  await Promise.all(calls);
  t.same(bench.notes, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  t.same(bench.rows('function_waiting'), ['function_id=app:f 0']);
});

test('a failed call gives its slot back, also when it fails before it waits', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `if ... then error('x') end; return 1`, { pool: { type: 'static', size: 1 } }),
  ]);
  await t.rejects(bench.call('app:f', [true]));
  t.equal(await bench.call('app:f'), 1);
});

test('without a pool block calls overlap, and nested and recursive ones do not deadlock', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `host.note('begin'); host.sleep(20); host.note('end')`),
    lua('app:deep', `local n = ...; if n == 0 then return 0 end; return 1 + funcs.call('app:deep', n - 1)`),
  ]);
  await Promise.all([bench.call('app:f'), bench.call('app:f')]);
  t.same(bench.notes, ['begin', 'begin', 'end', 'end']);
  t.equal(await bench.call('app:deep', [200]), 200);
});

test('process.pid and process.id: one pid per call, of the documented form', async (t) => {
  const bench = await surfaceBench(t, [lua('app:f', `return process.pid() .. ' ' .. process.id()`)]);
  const [first, second] = [String(await bench.call('app:f')), String(await bench.call('app:f'))];
  t.match(first, /^\{node1@app:f#[0-9a-f]+\|0x[0-9a-f]{5,}\} app:f$/);
  t.not(first, second);
});

test('warm_start makes the instances at the start: a failing top level ends it', async (t) => {
  const failing = { ...lua('app:f', ''), source: `error('no config')`, pool: { warm_start: true } };
  await t.rejects(surfaceBench(t, [failing]), { message: /no config/ });
  const lazy = await surfaceBench(t, [{ ...failing, pool: {} }]);
  await t.rejects(lazy.call('app:f'), { message: /no config/ });
  t.same(lazy.rows('function_calls'), ['function_id=app:f,status=error 1'], 'rule 12: counted though no handler ran');
});

test('the start refuses programs that do not load, all at once', async (t) => {
  const entries = ['app:a', 'app:b'].map((id) => ({ ...lua(id, ''), source: 'return (' }));
  await t.rejects(surfaceBench(t, entries), { name: 'StartError', message: /app:a: source: .*\napp:b: source: / });
});

test('rule 53: after a yield that another call resumes, a coroutine still has its own trace', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `host.sleep(...); return funcs.call('app:leaf')`),
    lua('app:leaf', ''),
  ]);
  const trace = (digit: string) =>
    rootContext.with(TRACE, { traceId: digit.repeat(32), spanId: digit.repeat(16), flags: 1, isRemote: true });
  await Promise.all([bench.call('app:f', [30], trace('a')), bench.call('app:f', [10], trace('b'))]);
  await poll('spans', () => bench.recorder.spans().length === 4);
  for (const digit of ['a', 'b']) {
    const own = bench.recorder.spans().filter(({ traceId }) => traceId === digit.repeat(32));
    t.same(
      own.map(({ name }) => name),
      ['app:leaf', 'app:f'],
    );
    t.equal(own[0]?.parentSpanId, own[1]?.spanId);
  }
});

test('rule 9: a function that was never called has no series', async (t) => {
  const bench = await surfaceBench(t, [lua('app:used', ''), lua('app:unused', '')]);
  await bench.call('app:used');
  for (const name of ['function_calls', 'function_duration', 'function_in_flight']) {
    t.match(bench.rows(name).join(), /^function_id=app:used[^;]*$/, name);
    t.notMatch(bench.rows(name).join(), /unused/, name);
  }
  for (const name of ['function_waiting', 'function_killed_total']) t.same(bench.rows(name), [], name);
});

test('hundreds of calls wait at once', async (t) => {
  const bench = await surfaceBench(t, [lua('app:slow', 'host.sleep(300); return 1')]);
  const start = performance.now();
  const results = await Promise.all(Array.from({ length: 500 }, () => bench.call('app:slow')));
  t.equal(results.length, 500);
  t.ok(performance.now() - start < 4800, 'all together take about as long as one');
  t.same(bench.rows('function_calls'), ['function_id=app:slow,status=success 500']);
});

test('functions and processes share one count of pids: no number is used twice in a run', async (t) => {
  const bench = await surfaceBench(t, [
    { id: 'app:host', kind: 'process.host', lifecycle: { auto_start: true } },
    { ...lua('app:actor', ''), kind: 'process.lua' },
    lua(
      'app:f',
      `return process.pid() .. process.spawn('app:actor', 'app:host') .. process.spawn('app:actor', 'app:host')`,
    ),
  ]);
  const pids = [String(await bench.call('app:f')), String(await bench.call('app:f'))].join('');
  t.same(pids.match(/0x[0-9a-f]+(?=\})/g), ['0x00001', '0x00002', '0x00003', '0x00004', '0x00005', '0x00006']);
});

test('processes-declarations.md, section 6: a caller that is gone, and hosts that cannot run the process', async (t) => {
  const actor = (id: string, meta: Readonly<Record<string, unknown>>) => ({
    ...lua(id, `host.note('began'); host.note(process.events():receive().reason)`),
    kind: 'process.lua',
    meta,
  });
  const bench = await surfaceBench(t, [
    { id: 'app:host', kind: 'process.host', lifecycle: { auto_start: true } },
    { id: 'app:full', kind: 'process.host', host: { max_processes: 1 }, lifecycle: { auto_start: true } },
    actor('app:actor', { default_host: 'host' }),
    actor('app:crowd', { options: { default_host: 'app:full' } }),
    actor('app:lost', { default_host: 'app:nowhere' }),
    actor('app:none', {}),
  ]);
  const controller = new AbortController();
  const context = rootContext.withSignal(controller.signal);
  const calls = [bench.call('app:actor', [], context), bench.call('app:crowd', [], context)];
  await poll('both run', () => bench.notes.length === 2);
  await t.rejects(bench.call('app:crowd'), { kind: 'Unavailable', message: /^host is full: app:full/ });
  controller.abort(new CallError('client closed the request', { kind: 'Canceled' }));
  for (const call of calls) await t.rejects(call, { kind: 'Canceled', message: 'client closed the request' });
  await poll('both are told', () => bench.notes.length === 4);
  t.same(bench.notes.slice(2), ['caller context canceled', 'caller context canceled']);
  await t.rejects(bench.call('app:actor', [], context), { kind: 'Canceled', message: 'client closed the request' });
  await t.rejects(bench.call('app:lost'), { kind: 'NotFound', message: 'host not found: app:nowhere' });
  await t.rejects(bench.call('app:none'), { kind: 'NotFound', message: 'no handler registered for target' });
  t.equal(bench.env.use(FUNCTIONS).has('app:none'), false);
});

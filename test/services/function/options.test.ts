import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { canceled } from '../../../runtime/errors.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { poll } from '../../harness/poll.ts';
import { manualClock } from '../../runtime/metrics/manual-clock.ts';
import { lua, surfaceBench } from '../surface-bench.ts';

/** Fails until it has been called `...` times. */
const FLAKY = `count = (count or 0) + 1
  if count < ... then host.raise('Unavailable', 'try ' .. count) end
  return count`;
const flaky = (options?: Record<string, unknown>) =>
  lua('app:flaky', FLAKY, { pool: { type: 'static', size: 1 }, ...(options && { meta: { options } }) });
const caller = (options: string, ...args: string[]) =>
  lua('app:caller', `return funcs.new():with_options(${options}):call(${args.join(', ')})`);
const trace = rootContext.with(TRACE, {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  flags: 1,
  isRemote: false,
});

test('every attempt is a call of its own for metrics and tracing, numbered on its span', async (t) => {
  const bench = await surfaceBench(t, [flaky({ retry: { max_attempts: 5, initial_delay: '1ms' } })]);
  t.equal(await bench.call('app:flaky', [3], trace), 3);
  t.same(bench.rows('function_calls'), [
    'function_id=app:flaky,status=error 2',
    'function_id=app:flaky,status=success 1',
  ]);
  t.same(bench.rows('function_duration'), ['function_id=app:flaky 3']);
  t.same(bench.rows('function_in_flight'), ['function_id=app:flaky 0']);
  t.same(
    bench.recorder.spans().map(({ name, kind, status, attributes, parentSpanId, events }) => ({
      name,
      kind,
      status,
      attempt: attributes['wippy.attempt'],
      faas: attributes['faas.name'],
      parentSpanId,
      events: events.length,
    })),
    [1, 2, 3].map((attempt) => ({
      name: 'app:flaky',
      kind: 'internal',
      status: attempt < 3 ? 'error' : 'unset',
      attempt,
      faas: 'app:flaky',
      parentSpanId: 'b'.repeat(16),
      events: attempt < 3 ? 1 : 0,
    })),
  );
});

test('no attempt number where there is one attempt, also with other options', async (t) => {
  const bench = await surfaceBench(t, [flaky({ timeout: '1h', retry: { max_attempts: 1 } })]);
  await bench.call('app:flaky', [1]);
  t.notOk('wippy.attempt' in bench.recorder.span({ name: 'app:flaky' }).attributes);
});

test('rule 12: the last failure is the outcome of the call, and each is counted', async (t) => {
  const bench = await surfaceBench(t, [flaky({ retry: { max_attempts: 2, initial_delay: 0 } })]);
  await t.rejects(bench.call('app:flaky', [9]), { kind: 'Unavailable', message: 'try 2' });
  t.same(bench.rows('function_calls'), ['function_id=app:flaky,status=error 2']);
});

test('delays pass on the clock of the program', async (t) => {
  const clock = manualClock();
  const bench = await surfaceBench(t, [flaky({ retry: { max_attempts: 3, initial_delay: '10s', max_delay: '15s' } })], {
    clock,
  });
  const result = bench.call('app:flaky', [3]);
  const attempts = () => bench.rows('function_duration').join();
  const at = (n: number) => poll(`${n} attempts`, () => attempts() === `function_id=app:flaky ${n}`);
  await at(1);
  t.same(bench.rows('function_in_flight'), ['function_id=app:flaky 0'], 'nothing runs while it waits');
  clock.advance(9_999);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(attempts(), 'function_id=app:flaky 1');
  clock.advance(1);
  await at(2);
  clock.advance(15_000);
  t.equal(await result, 3);
});

test('with_options wins over meta.options key by key', async (t) => {
  const bench = await surfaceBench(t, [
    flaky({ retry: { max_attempts: 2, initial_delay: '1ms' } }),
    caller(`{retry = {max_attempts = 4}}`, `'app:flaky'`, '4'),
  ]);
  t.equal(await bench.call('app:caller'), 4);
  t.same(bench.recorder.spans({ name: 'app:flaky' }).length, 4);
});

test('with_options alone retries a function that declares nothing, and its callees are not asked', async (t) => {
  const bench = await surfaceBench(t, [
    caller(`{retry = {max_attempts = 3, initial_delay = '1ms', retry_kinds = {'Internal'}}}`, `'app:middle'`),
    lua('app:middle', `local _, e = funcs.call('app:leaf'); error(e)`),
    lua('app:leaf', `error('boom')`),
  ]);
  await t.rejects(bench.call('app:caller'), { message: /boom/ });
  t.equal(bench.recorder.spans({ name: 'app:middle' }).length, 3);
  t.equal(bench.recorder.spans({ name: 'app:leaf' }).length, 3, 'once for each of them');
  t.notOk('wippy.attempt' in (bench.recorder.spans({ name: 'app:leaf' })[0]?.attributes ?? {}));
});

test('invalid options are Invalid and name the key; the call is counted, not tried again', async (t) => {
  const bench = await surfaceBench(t, [
    caller(`{timeout = 'soon', retry = {max_attempts = 3}}`, `'app:flaky'`, '1'),
    flaky(),
  ]);
  await t.rejects(bench.call('app:caller'), {
    kind: 'Invalid',
    retryable: false,
    message: `option 'timeout': expected a duration such as 250ms, 5s or 1h, got "soon"`,
  });
  t.ok(bench.rows('function_calls').includes('function_id=app:flaky,status=error 1'));
  t.equal(bench.recorder.span({ name: 'app:flaky' }).attributes['error.type'], 'Invalid');
});

test('rule 4: a timeout ends what runs and what waits, is counted, and leaves nothing in flight', async (t) => {
  const clock = manualClock();
  const bench = await surfaceBench(
    t,
    [
      lua('app:outer', `pcall(funcs.call, 'app:slow'); host.sleep(60000)`, { meta: { options: { timeout: '250ms' } } }),
      lua('app:slow', `pcall(host.sleep, 60000); pcall(host.sleep, 60000)`),
    ],
    { clock },
  );
  const call = bench.call('app:outer');
  t.same(bench.rows('function_in_flight'), ['function_id=app:outer 1', 'function_id=app:slow 1']);
  clock.advance(250);
  await t.rejects(call, { kind: 'Timeout', message: 'call timed out after 250ms: app:outer' });
  await poll('both have ended', () => !bench.rows('function_in_flight').some((row) => row.endsWith(' 1')));
  t.same(bench.rows('function_killed_total'), ['function_id=app:outer,reason=timeout 1']);
  t.same(bench.rows('function_calls'), ['function_id=app:outer,status=error 1', 'function_id=app:slow,status=error 1']);
  const spans = bench.recorder.spans();
  t.same(spans.map(({ name, status, attributes }) => `${name} ${status} ${attributes['error.type']}`).sort(), [
    'app:outer error Timeout',
    'app:slow error Timeout',
  ]);
});

test('the timeout is per attempt, and one that is over frees its slot for the next', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `count = (count or 0) + 1; host.note(count); host.sleep(60000)`, {
      pool: { type: 'static', size: 1 },
      meta: { options: { timeout: '20ms', retry: { max_attempts: 3, initial_delay: '1ms' } } },
    }),
  ]);
  await t.rejects(bench.call('app:f'), { kind: 'Timeout', message: 'call timed out after 20ms: app:f' });
  t.same(bench.notes, [1, 1, 1], 'each in an instance of its own: a killed one is not used again');
  t.same(bench.rows('function_killed_total'), ['function_id=app:f,reason=timeout 3']);
  t.same(bench.rows('function_waiting'), [], 'no attempt had to wait for the one before');
});

test('a timeout counts the wait for a slot', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `host.sleep(...)`, { pool: { type: 'static', size: 1 } }),
    lua('app:caller', `return funcs.new():with_options{timeout = '20ms'}:call('app:f', 0)`),
  ]);
  const cancel = new AbortController();
  const long = bench.call('app:f', [60_000], rootContext.withSignal(cancel.signal));
  await t.rejects(bench.call('app:caller'), { kind: 'Timeout', message: 'call timed out after 20ms: app:f' });
  t.same(bench.rows('function_waiting'), ['function_id=app:f 0']);
  cancel.abort(canceled('over'));
  await t.rejects(long, { message: 'over' });
});

test('a function that spins is stopped by its timeout', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `pcall(function() while true do end end)`, { meta: { options: { timeout: '50ms' } } }),
  ]);
  await t.rejects(bench.call('app:f'), { message: 'call timed out after 50ms: app:f' });
});

test('a future that is cancelled while it waits for its next attempt is not tried again', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:main', `local f = funcs.async('app:fails'); host.sleep(20); f:cancel(); host.sleep(150)`),
    lua('app:fails', `host.note('tried'); host.raise('Unavailable', 'down')`, {
      meta: { options: { retry: { max_attempts: 9, initial_delay: '100ms', jitter: 0 } } },
    }),
  ]);
  await bench.call('app:main');
  t.same(bench.notes, ['tried']);
});

import { test } from 'tap';
import { metrics } from '../../interceptors/metrics.ts';
import type { Call, CallSite, MetricRecipe, Next } from '../../runtime/call.ts';
import { rootContext } from '../../runtime/context.ts';
import { DURATION_SECONDS } from '../../runtime/metrics/instruments.ts';
import { TRACE } from '../../runtime/trace.ts';
import { familyOf, seriesOf, testCollector, valueAt } from '../runtime/metrics/fixture.ts';

const recipe: MetricRecipe<string, string> = {
  labels: { function_id: 'app:f' },
  calls: { name: 'function_calls', help: 'h', unit: '{call}', labels: ['function_id', 'status'] },
  duration: {
    name: 'function_duration',
    help: 'h',
    unit: 's',
    labels: ['function_id'],
    boundaries: DURATION_SECONDS,
  },
  inFlight: { name: 'function_in_flight', help: 'h', unit: '{call}', labels: ['function_id'] },
  outcome: { label: 'status', of: () => 'success', ofError: () => 'error' },
};
const site = (over: Partial<MetricRecipe<string, string>> = {}): CallSite<string, string> => ({
  surface: 'function',
  operation: 'call',
  target: 'app:f',
  metrics: { ...recipe, ...over },
});
const call = (): Call<string> => ({ input: 'x', context: rootContext });

const f = { function_id: 'app:f' };
const setup = (next: Next<string, string>, over?: Partial<MetricRecipe<string, string>>) => {
  const { collector, clock } = testCollector();
  const run = metrics(collector, clock, 50).wrap(next, site(over));
  const read = {
    calls: (status: string) => valueAt(collector, 'wippy_function_calls', { ...f, status }),
    duration: () => seriesOf(collector, 'wippy_function_duration', f),
    inFlight: () => valueAt(collector, 'wippy_function_in_flight', f),
  };
  return { collector, clock, run, read };
};

test('a site without a recipe costs nothing: it gets its core back', async (t) => {
  const { collector, clock } = testCollector();
  const next: Next<string, string> = () => 'ok';
  t.equal(metrics(collector, clock, 50).wrap(next, { ...site(), metrics: undefined }), next);
  t.not(metrics(collector, clock, 50).wrap(next, site()), next);
});

test('rule 11: a synchronous call is counted and timed, and stays synchronous', async (t) => {
  const { run, read, clock } = setup((one) => {
    t.equal(read.inFlight(), 1, 'in flight while it runs');
    clock.advance(200);
    return one.input;
  });
  t.equal(read.calls('success'), undefined, 'nothing before the first call');
  t.equal(run(call()), 'x');
  t.equal(read.calls('success'), 1);
  t.equal(read.calls('error'), undefined);
  t.match(read.duration(), { count: 1, value: 0.2 });
  t.equal(read.inFlight(), 0);
});

test('rules 4, 12 and 38: an exception before the first await is counted, timed and leaves nothing in flight', async (t) => {
  const { run, read, clock } = setup(() => {
    clock.advance(50);
    throw new TypeError('bad');
  });
  t.throws(() => run(call()), new TypeError('bad'));
  t.equal(read.calls('error'), 1);
  t.equal(read.calls('success'), undefined);
  t.match(read.duration(), { count: 1, value: 0.05 });
  t.equal(read.inFlight(), 0);
});

test('rules 1 and 4: promises that resolve and reject return in flight to 0', async (t) => {
  const gates: PromiseWithResolvers<string>[] = [];
  const { run, read, clock } = setup(() => {
    const gate = Promise.withResolvers<string>();
    gates.push(gate);
    return gate.promise;
  });
  const calls = [run(call()), run(call()), run(call())];
  t.equal(read.inFlight(), 3);
  clock.advance(1000);
  gates[0]?.resolve('ok');
  gates[1]?.reject(new Error('no'));
  gates[2]?.reject('aborted');
  const settled = await Promise.allSettled(calls);
  t.strictSame(
    settled.map((one) => one.status),
    ['fulfilled', 'rejected', 'rejected'],
  );
  t.equal(settled[2]?.status === 'rejected' && settled[2].reason, 'aborted', 'what was thrown is handed on as it is');
  t.equal(read.calls('success'), 1);
  t.equal(read.calls('error'), 2);
  t.match(read.duration(), { count: 3, value: 3 });
  t.equal(read.inFlight(), 0);
});

test('the outcome label goes where a metric lists it', async (t) => {
  const duration = {
    ...recipe.duration,
    name: 'd_seconds',
    labels: ['function_id', 'status'],
  } as typeof recipe.duration;
  const { collector, run } = setup((one) => one.input, {
    duration,
    outcome: { label: 'status', of: (out) => out, ofError: () => 'error' },
  });
  run({ input: 'ack', context: rootContext });
  run({ input: 'nack', context: rootContext });
  run({ input: 'ack', context: rootContext });
  t.equal(seriesOf(collector, 'wippy_d_seconds', { ...f, status: 'ack' })?.count, 2);
  t.equal(valueAt(collector, 'wippy_function_calls', { ...f, status: 'nack' }), 1);
});

test('without an outcome, and with single metrics', async (t) => {
  const calls = { name: 'plain_total', help: 'h', unit: '1', labels: ['function_id'] };
  const { collector, run } = setup((one) => one.input, {
    calls,
    duration: undefined,
    inFlight: undefined,
    outcome: undefined,
  });
  run(call());
  t.equal(valueAt(collector, 'wippy_plain_total', f), 1);
  t.equal(familyOf(collector, 'wippy_function_duration'), undefined);
});

test('a sampled span becomes the exemplar of counter and bucket', async (t) => {
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const { collector, run, read } = setup((one) => {
    if (one.input === 'traced') one.trace = ids;
    return 'ok';
  });
  run(call());
  t.strictSame(read.duration()?.exemplars, []);
  run({ input: 'traced', context: rootContext });
  t.match(read.duration()?.exemplars[0], ids);
  t.match(seriesOf(collector, 'wippy_function_calls', { ...f, status: 'success' })?.exemplars[0], ids);
});

test('a site without a span of its own keeps the ids of the sampled span around it', async (t) => {
  const around = (flags: number) =>
    rootContext.with(TRACE, { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), flags, isRemote: false });
  const { collector, run, read } = setup(() => 'ok');
  run({ input: 'x', context: around(0) });
  t.strictSame(read.duration()?.exemplars, [], 'none of one that is not sampled');
  run({ input: 'x', context: around(1) });
  const ids = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) };
  t.match(read.duration()?.exemplars[0], ids);
  t.match(seriesOf(collector, 'wippy_function_calls', { ...f, status: 'success' })?.exemplars[0], ids);
});

test('a recipe that fails to name the outcome does not fail the call, and is counted', async (t) => {
  const broken = () => {
    throw new Error('bug');
  };
  const { collector, run, read } = setup((one) => one.input, {
    outcome: { label: 'status', of: broken, ofError: broken },
  });
  t.equal(run(call()), 'x');
  t.equal(read.calls('other'), 1);
  t.equal(read.inFlight(), 0);
  t.equal(valueAt(collector, 'wippy_telemetry_callback_errors_total', { metric: 'wippy_function_calls' }), 1);
});

import { test } from 'tap';
import { metrics } from '../../interceptors/metrics.ts';
import { tracing } from '../../interceptors/tracing.ts';
import { type Call, type CallSite, compose, isPromise, type Next, type SpanRecipe } from '../../runtime/call.ts';
import { systemClock } from '../../runtime/clock.ts';
import { rootContext } from '../../runtime/context.ts';
import { CallError } from '../../runtime/errors.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { noTracer, TRACE, type Tracer } from '../../runtime/trace.ts';
import { spanRecorder } from '../harness/span-recorder.ts';
import { lineRecorder } from '../services/otel/line-recorder.ts';

const siteOf = (span: Partial<SpanRecipe<string, number>> | undefined): CallSite<string, number> => ({
  surface: 'function',
  operation: 'call',
  target: 'app:f',
  span: span === undefined ? undefined : { name: 'app:f', kind: 'internal', attributes: {}, ...span },
});
const callOf = (input = 'x'): Call<string> => ({ input, context: rootContext });
const wrapped = (tracer: Tracer, core: Next<string, number>, span: Partial<SpanRecipe<string, number>> = {}) =>
  tracing(tracer, 100).wrap(core, siteOf(span));

test('a site without a span recipe is not wrapped at all', async (t) => {
  const core: Next<string, number> = () => 1;
  const { tracer } = spanRecorder();
  t.equal(tracing(tracer, 100).wrap(core, siteOf(undefined)), core);
  t.not(tracing(tracer, 100).wrap(core, siteOf({})), core);
});

test('rule 54: what runs inside sees the span; what runs after does not', async (t) => {
  const recorder = spanRecorder();
  let inside: Call<string> | undefined;
  const call = callOf();
  const out = wrapped(recorder.tracer, (inner) => {
    inside = inner;
    return 7;
  })(call);
  t.equal(out, 7, 'a synchronous call stays synchronous');
  const span = recorder.span({ name: 'app:f', status: 'unset' });
  t.equal(inside?.context.get(TRACE)?.spanId, span.spanId);
  t.equal(inside?.input, 'x');
  t.equal(call.context.get(TRACE), undefined);
  t.equal(call.trace?.spanId, span.spanId, 'metrics, further out, reads the ids for its exemplar');
});

test('a nested call is a child', async (t) => {
  const recorder = spanRecorder();
  const inner = wrapped(recorder.tracer, () => 1, { name: 'inner' });
  wrapped(recorder.tracer, (call) => inner({ input: 'y', context: call.context }), { name: 'outer' })(callOf());
  const outer = recorder.span({ name: 'outer', parent: null });
  t.equal(recorder.span({ name: 'inner', parent: outer }).traceId, outer.traceId);
});

test('detail, result and failure of the recipe are applied', async (t) => {
  const recorder = spanRecorder();
  const fn = wrapped(recorder.tracer, (call) => Promise.resolve(call.input.length), {
    detail: (call) => ({ attributes: { input: call.input } }),
    result: (out) => ({ length: out }),
    failure: (out) => (out > 3 ? { type: '500', message: 'too long' } : undefined),
  });
  const promised = fn(callOf('abc'));
  t.ok(isPromise(promised));
  t.equal(await promised, 3);
  await fn(callOf('abcd'));
  t.ok(recorder.span({ status: 'unset', attributes: { input: 'abc', length: 3 } }));
  const failed = recorder.span({ status: 'error', attributes: { length: 4, 'error.type': '500' } });
  t.equal(failed.statusMessage, 'too long');
  t.same(failed.events, [], 'nothing was thrown');
});

test('rule 12: a failure ends the span on every way out, and is rethrown as it was', async (t) => {
  const recorder = spanRecorder();
  const error = new CallError('boom', { kind: 'Unavailable' });
  const cores: Next<string, number>[] = [
    () => {
      throw error;
    },
    () => Promise.reject(error),
  ];
  for (const core of cores) {
    let thrown: unknown;
    try {
      await wrapped(recorder.tracer, core)(callOf());
    } catch (caught) {
      thrown = caught;
    }
    t.equal(thrown, error);
  }
  const spans = recorder.spans({ status: 'error', attributes: { 'error.type': 'Unavailable' } });
  t.equal(spans.length, 2);
  t.same(
    spans.map((span) => span.events.map((event) => event.name)),
    [['exception'], ['exception']],
  );
});

test('a call that is not sampled gets its own position in the trace and no ids for exemplars', async (t) => {
  const { tracer } = spanRecorder({ sampler: 'always_off' });
  let inside: string | undefined;
  const call = callOf();
  wrapped(tracer, (inner) => {
    inside = inner.context.get(TRACE)?.spanId;
    return 1;
  })(call);
  t.match(inside, /^[0-9a-f]{16}$/);
  t.equal(call.trace, undefined);
});

test('with tracing off the very call goes through, with the trace that came in', async (t) => {
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: true };
  const call = { input: 'x', context: rootContext.with(TRACE, trace) };
  let seen: unknown;
  wrapped(noTracer, (inner) => {
    seen = inner;
    return 1;
  })(call);
  t.equal(seen, call);
});

test('rule 93: a tracing failure never breaks a call; it is logged once', async (t) => {
  const fails = (): never => {
    throw new Error('tracing is broken');
  };
  const span = {
    trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false },
    setAttributes: fails,
    addEvent: fails,
    addLink: fails,
    fail: fails,
    setError: fails,
    end: fails,
  };
  const broken: Tracer[] = [
    { site: () => ({ start: fails }) },
    { site: () => ({ start: () => ({ trace: span.trace, span }) }) },
  ];
  for (const tracer of broken) {
    const { logger, lines } = lineRecorder();
    const interceptor = tracing(tracer, 100, logger);
    const good = interceptor.wrap<string, number>(() => 5, siteOf({ result: () => ({ a: 1 }) }));
    const bad = interceptor.wrap<string, number>(() => Promise.reject(new Error('mine')), siteOf({}));
    t.equal(good(callOf()), 5);
    t.equal(good(callOf()), 5);
    await t.rejects(Promise.resolve(bad(callOf())), { message: 'mine' });
    t.equal(lines.length, 1);
    t.match(lines[0], { level: 'error', fields: { site: 'app:f', error: 'tracing is broken' } });
  }
});

test('a recipe that throws leaves the call and its span in peace', async (t) => {
  const recorder = spanRecorder();
  const oops = (): never => {
    throw new Error('recipe');
  };
  t.equal(wrapped(recorder.tracer, () => 1, { detail: oops })(callOf()), 1);
  t.equal(wrapped(recorder.tracer, () => 2, { name: 'ends', result: oops })(callOf()), 2);
  t.ok(recorder.span({ name: 'ends' }), 'the span ended');
});

test('rule 52: metrics wraps tracing, so a call is timed even where tracing fails', async (t) => {
  const clock = systemClock();
  const collector = createCollector({ namespace: 'wippy', clock });
  const duration = { name: 'took', help: 'h', unit: 's', labels: [], boundaries: [1] };
  const broken: Tracer = {
    site: () => ({
      start() {
        throw new Error('tracing is broken');
      },
    }),
  };
  const chain = compose([tracing(broken, 100), metrics(collector, clock, 50)]);
  const fn = chain<string, number>({ ...siteOf({}), metrics: { labels: {}, duration } }, () => 3);
  t.equal(fn(callOf()), 3);
  t.equal(collector.snapshot().families.find((family) => family.name === 'wippy_took')?.series[0]?.count, 1);
});

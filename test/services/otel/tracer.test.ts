import { createContextKey, ROOT_CONTEXT, type TracerProvider, trace as traceApi } from '@opentelemetry/api';
import { isTracingSuppressed, suppressTracing } from '@opentelemetry/core';
import { BasicTracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { CallError } from '../../../runtime/errors.ts';
import { TRACE, type TraceContext } from '../../../runtime/trace.ts';
import { traceIds } from '../../../services/otel/ids.ts';
import { propagator } from '../../../services/otel/propagator.ts';
import {
  announcedSampler,
  SAMPLER_NAMES,
  type SamplerName,
  sampler,
  samplingDecision,
} from '../../../services/otel/sampler.ts';
import { parentContexts } from '../../../services/otel/span-context.ts';
import { tracer } from '../../../services/otel/tracer.ts';
import { spanRecorder } from '../../harness/span-recorder.ts';
import { manualClock } from './manual-clock.ts';

const recipe = { name: 'app:hello', kind: 'internal', attributes: { 'faas.name': 'app:hello' } } as const;
const remote = (flags: number, state?: string): TraceContext => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  flags,
  state,
  isRemote: true,
});
const under = (trace: TraceContext) => rootContext.with(TRACE, trace);

test('rule 77: a span has the name, kind, attributes, parent, times and state that it was given', async (t) => {
  const clock = manualClock(1_700_000_000_000);
  const recorder = spanRecorder({ clock });
  const { span, trace } = recorder.tracer.site(recipe).start(under(remote(1, 'foo=1')), {
    kind: 'consumer',
    attributes: { 'wippy.attempt': 2, absent: undefined },
    links: [{ trace: { ...remote(1), spanId: 'c'.repeat(16) }, attributes: { why: 'x' } }],
  });
  clock.advance(1500.25);
  span?.addEvent('half');
  span?.setAttributes({ more: true });
  clock.advance(1);
  span?.end();

  const got = recorder.span({ name: 'app:hello' });
  t.match(got, { kind: 'consumer', traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), status: 'unset' });
  t.same(got.attributes, { 'faas.name': 'app:hello', 'wippy.attempt': 2, more: true });
  t.match(got.links, [{ spanId: 'c'.repeat(16), attributes: { why: 'x' } }]);
  t.equal(got.startMs, 1_700_000_000_000);
  t.equal(got.endMs - got.startMs, 1501.25);
  t.equal((got.events[0]?.timeMs ?? 0) - got.startMs, 1500.25);
  t.equal(got.traceState, 'foo=1');
  t.same(trace, { traceId: got.traceId, spanId: got.spanId, flags: 1, state: 'foo=1', isRemote: false });
  t.match(got.scope, { name: 'perilune' });
});

test('rule 61: without a parent a root span is made, with valid ids', async (t) => {
  const recorder = spanRecorder();
  const { span, trace } = recorder.tracer.site(recipe).start(rootContext, undefined);
  span?.end();
  t.equal(recorder.span({ parent: null }).traceId, trace?.traceId);
  t.match(trace?.traceId, /^[0-9a-f]{32}$/);
  t.match(trace?.spanId, /^[0-9a-f]{16}$/);
});

test('detail: root leaves the caller, startTime and name are honoured', async (t) => {
  const recorder = spanRecorder();
  const site = recorder.tracer.site(recipe);
  const { span } = site.start(under(remote(1)), { root: true, startTime: 1234.5, name: 'GET' });
  span?.end();
  const got = recorder.span({ name: 'GET', parent: null });
  t.not(got.traceId, 'a'.repeat(32));
  t.equal(got.startMs, 1234.5);
});

test('the random flag of a trace id is handed on by every span of the trace, sampled or not', async (t) => {
  const { tracer } = spanRecorder();
  t.equal(tracer.site(recipe).start(under(remote(3)), undefined).trace?.flags, 3);
  t.equal(tracer.site(recipe).start(under(remote(2)), undefined).trace?.flags, 2);
});

test('rule 78: always_on and always_off beat the ratio; the parent decides under parentbased samplers', async (t) => {
  const decisions = SAMPLER_NAMES.map((sampler) => {
    const [parent, wants] = sampler.startsWith('parentbased_') ? [true, sampler.slice(12)] : [false, sampler];
    // The ratio says the opposite of the two samplers that must not look at it.
    const ratio = wants === 'always_on' ? 0 : 1;
    const { tracer } = spanRecorder({ sampler, ratio });
    const isSampled = (context: typeof rootContext) => tracer.site(recipe).start(context, undefined).span !== undefined;
    const own = wants !== 'always_off';
    t.equal(isSampled(rootContext), own, `${sampler}, root`);
    t.equal(isSampled(under(remote(1))), parent || own, `${sampler}, sampled parent`);
    t.equal(isSampled(under(remote(0))), !parent && own, `${sampler}, unsampled parent`);
    return sampler;
  });
  t.equal(decisions.length, 6);
  const { tracer } = spanRecorder({ sampler: 'traceidratio', ratio: 0 });
  t.equal(tracer.site(recipe).start(rootContext, undefined).span, undefined, 'ratio 0 takes none');
});

test('a call that is not sampled still has a position of its own in the trace', async (t) => {
  for (const [sampler, context] of [
    ['parentbased_always_on', under(remote(0, 'foo=1'))],
    ['always_off', under(remote(1, 'foo=1'))],
  ] as const) {
    const recorder = spanRecorder({ sampler });
    const { span, trace } = recorder.tracer.site(recipe).start(context, undefined);
    t.equal(span, undefined);
    t.match(trace, { traceId: 'a'.repeat(32), flags: 0, state: 'foo=1', isRemote: false });
    t.match(trace?.spanId, /^(?!b{16})[0-9a-f]{16}$/);
    t.same(recorder.spans(), []);
  }
});

test('a failure is recorded once while it rises, with the Lua traceback, and marks every span', async (t) => {
  const recorder = spanRecorder();
  const outer = recorder.tracer.site({ ...recipe, name: 'outer' }).start(rootContext, undefined);
  const inner = recorder.tracer
    .site({ ...recipe, name: 'inner' })
    .start(rootContext.with(TRACE, outer.trace), undefined);
  const error = new CallError('no such user', {
    kind: 'NotFound',
    frames: [
      { source: '[host]', type: 'host', name: 'get' },
      { source: 'src/users.lua', line: 12, name: 'find', type: 'Lua' },
      { source: 'src/users.lua', line: 30, type: 'main' },
    ],
  });
  inner.span?.fail(error);
  inner.span?.end();
  outer.span?.fail(error.with({ contexts: ['while loading'], cause: error })); // wrapped on its way
  outer.span?.end();

  for (const name of ['inner', 'outer']) {
    const span = recorder.span({ name, status: 'error' });
    t.equal(span.attributes['error.type'], 'NotFound');
    t.equal(span.statusMessage, 'no such user');
  }
  t.same(recorder.span({ name: 'outer' }).events, []);
  const [event, ...more] = recorder.span({ name: 'inner' }).events;
  t.same(more, []);
  t.match(event, {
    name: 'exception',
    attributes: {
      'exception.type': 'NotFound',
      'exception.message': 'no such user',
      'code.file.path': 'src/users.lua',
      'code.line.number': 12,
    },
  });
  t.equal(
    event?.attributes['exception.stacktrace'],
    [
      'no such user',
      'stack traceback:',
      "\t[host]: in function 'get'",
      "\tsrc/users.lua:12: in function 'find'",
      '\tsrc/users.lua:30: in main chunk',
    ].join('\n'),
  );
});

test('one error object thrown for two traces is recorded in both', async (t) => {
  const recorder = spanRecorder();
  const shared = new CallError('draining', { kind: 'Unavailable' });
  for (let i = 0; i < 2; i++) {
    const { span } = recorder.tracer.site(recipe).start(rootContext, undefined);
    span?.fail(shared);
    span?.end();
  }
  t.same(
    recorder.spans().map((span) => span.events.length),
    [1, 1],
  );
});

test('rule 56: a host error keeps its message and shows where in the host it was', async (t) => {
  const recorder = spanRecorder();
  const { span } = recorder.tracer.site(recipe).start(rootContext, undefined);
  span?.fail(new TypeError('not a number'));
  span?.end();
  const got = recorder.span({ status: 'error' });
  t.equal(got.attributes['error.type'], 'Internal');
  t.match(got.events[0]?.attributes, { 'exception.type': 'TypeError', 'exception.message': 'not a number' });
  t.match(got.events[0]?.attributes['exception.stacktrace'], /tracer\.test\.ts/);
});

/** The SDK's provider, which tells what reached it. */
const watched = (name: SamplerName, ratio: number) => {
  const reached: string[] = [];
  const ids = traceIds();
  const sdk = new BasicTracerProvider({ sampler: sampler(name, ratio), idGenerator: ids.generator });
  const provider: TracerProvider = {
    getTracer(scope, version) {
      const inner = sdk.getTracer(scope, version);
      const startSpan: typeof inner.startSpan = (span, options, context) => {
        reached.push(span);
        return inner.startSpan(span, options, context);
      };
      return Object.assign(Object.create(inner), { startSpan });
    },
  };
  const shared = { provider, clock: manualClock(), ids, version: 'test' };
  return { shared, reached, decide: samplingDecision(name, ratio) };
};

test('a call that is not sampled does not reach the SDK, one that is sampled does', async (t) => {
  const cases: readonly (readonly [SamplerName, number, TraceContext | undefined, boolean])[] = [
    ['always_off', 1, undefined, false],
    ['always_off', 1, remote(1), false],
    ['always_on', 0, remote(0), true],
    ['traceidratio', 0, remote(1), false],
    ['traceidratio', 1, remote(0), true],
    ['parentbased_always_on', 0, undefined, true],
    ['parentbased_always_on', 0, remote(0), false],
    ['parentbased_always_off', 1, undefined, false],
    ['parentbased_always_off', 1, remote(1), true],
    ['parentbased_traceidratio', 0, undefined, false],
    ['parentbased_traceidratio', 0, remote(1), true],
    ['parentbased_traceidratio', 1, undefined, true],
  ];
  for (const [name, ratio, parent, isSampled] of cases) {
    const { shared, reached, decide } = watched(name, ratio);
    const title = `${name} ${ratio} ${parent?.flags}`;
    const started = tracer({ ...shared, decide })
      .site(recipe)
      .start(parent === undefined ? rootContext : under(parent), undefined);
    t.equal(started.span !== undefined, isSampled, title);
    t.equal(reached.length, isSampled ? 1 : 0, title);
    t.match(started.trace?.traceId, /^(?!0{32})[0-9a-f]{32}$/);
    t.match(started.trace?.spanId, /^(?!0{16})[0-9a-f]{16}$/);
    t.equal(started.trace?.spanId, started.trace?.spanId, 'the same whenever it is asked for');
    // A sampler that we know nothing of decides itself, and says the same.
    const asked = tracer(shared)
      .site(recipe)
      .start(parent === undefined ? rootContext : under(parent), undefined);
    t.equal(asked.span !== undefined, isSampled, title);
    t.equal(reached.length, isSampled ? 2 : 1, title);
  }
});

test('a ratio takes its share of the roots, and whoever decides takes the same', async (t) => {
  const { shared, reached, decide } = watched('parentbased_traceidratio', 0.25);
  const site = tracer({ ...shared, decide }).site(recipe);
  const taken = Array.from({ length: 4000 }, () => site.start(rootContext, undefined)).filter(({ span }) => span);
  t.equal(taken.length, reached.length, 'the SDK sampled every span that was decided to be sampled');
  t.ok(taken.length > 800 && taken.length < 1200, `${taken.length} of 4000`);
  const sdk = new TraceIdRatioBasedSampler(0.25);
  const isTaken = (traceId: string) => sdk.shouldSample(ROOT_CONTEXT, traceId).decision === 2;
  const left = Array.from({ length: 4000 }, () => site.start(rootContext, undefined)).filter(({ span }) => !span);
  t.same(
    taken.filter(({ trace }) => !isTaken(trace?.traceId ?? '')),
    [],
  );
  t.same(
    left.filter(({ trace }) => isTaken(trace?.traceId ?? '')),
    [],
    'an id that is made later says the same as one that was made first',
  );
  const { root, child } = samplingDecision('traceidratio', 0.25);
  const folds = Array.from({ length: 4000 }, () => shared.ids.fold());
  t.same(
    folds.filter((fold) => typeof root === 'boolean' || root(fold) !== isTaken(shared.ids.traceIdOf(fold))),
    [],
  );
  const ids = Array.from({ length: 4000 }, () => shared.ids.traceId());
  t.same(
    ids.filter((traceId) => child({ ...remote(0), traceId }) !== isTaken(traceId)),
    [],
  );
});

test('the ids of a call that is not sampled are made once, and are those of the header that goes out', async (t) => {
  for (const ratio of [0, 0.000001]) {
    const site = spanRecorder({ sampler: 'parentbased_traceidratio', ratio }).tracer.site(recipe);
    const starts = Array.from({ length: 1000 }, () => site.start(rootContext, undefined).trace as TraceContext);
    const first = starts.map(({ traceId, spanId }) => `${traceId}-${spanId}`);
    t.same(
      starts.map(({ traceId, spanId }) => `${traceId}-${spanId}`),
      first,
      'the same ever after',
    );
    t.equal(new Set(starts.map(({ traceId }) => traceId)).size, 1000, 'no two are the same');
    t.equal(new Set(starts.map(({ spanId }) => spanId)).size, 1000);

    const trace = site.start(rootContext, undefined).trace as TraceContext;
    const headers = new Map<string, string>();
    propagator(['tracecontext']).inject(under(trace), (header, value) => headers.set(header, value));
    t.equal(headers.get('traceparent'), `00-${trace.traceId}-${trace.spanId}-00`);
    const callee = site.start(under(trace), undefined).trace;
    t.equal(callee?.traceId, trace.traceId, 'what it calls is in the same trace');
    t.not(callee?.spanId, trace.spanId);
  }
});

test('an announced span is sampled without a question, the next one is asked about again', async (t) => {
  const { sampler: announcing, announce } = announcedSampler(sampler('always_off', 0));
  const ask = () => announcing.shouldSample(ROOT_CONTEXT, 'a'.repeat(32), 'name', 0, {}, []).decision;
  t.equal(ask(), 0);
  announce();
  t.equal(ask(), 2);
  t.equal(ask(), 0);
  t.equal(String(announcing), 'AlwaysOffSampler');
});

test('whoever is handed the context of a parent finds what the API would have put there', async (t) => {
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
  const context = parentContexts()(parent);
  const other = createContextKey('other');
  t.same(traceApi.getSpanContext(context), parent);
  t.equal(context.getValue(other), undefined);
  t.equal(isTracingSuppressed(context), false);
  t.equal(isTracingSuppressed(suppressTracing(context)), true);
  const more = context.setValue(other, 1);
  t.equal(more.getValue(other), 1);
  t.same(traceApi.getSpanContext(more), parent);
  t.equal(traceApi.getSpan(traceApi.deleteSpan(context)), undefined);
  t.same(traceApi.getSpanContext(context.deleteValue(other)), parent);
});

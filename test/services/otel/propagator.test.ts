import { test } from 'tap';
import { type CallContext, rootContext } from '../../../runtime/context.ts';
import { BAGGAGE, TRACE, type TraceContext } from '../../../runtime/trace.ts';
import { type PropagatorName, propagator } from '../../../services/otel/propagator.ts';
import type { SamplerName } from '../../../services/otel/sampler.ts';
import { spanRecorder } from '../../harness/span-recorder.ts';

const TRACE_ID = '12345678901234567890123456789012';
const SPAN_ID = '1234567890123456';
const VALID = `00-${TRACE_ID}-${SPAN_ID}-01`;
const both = propagator(['tracecontext', 'baggage']);

type Headers = Readonly<Record<string, string | readonly string[]>>;
const extract = (headers: Headers, from = both) =>
  from.extract(rootContext, (name) => {
    const value = headers[name];
    return value === undefined ? [] : typeof value === 'string' ? [value] : value;
  });
const inject = (context = rootContext, by = both): Record<string, string> => {
  const headers: Record<string, string> = {};
  by.inject(context, (name, value) => {
    headers[name] = value;
  });
  return headers;
};
const traceOf = (traceparent: string | readonly string[]) => extract({ traceparent }).get(TRACE);
const stateOf = (tracestate: string | readonly string[]) =>
  extract({ traceparent: VALID, tracestate }).get(TRACE)?.state;

test('a valid traceparent is read, and written as it came', async (t) => {
  const context = extract({ traceparent: VALID });
  t.same(context.get(TRACE), { traceId: TRACE_ID, spanId: SPAN_ID, flags: 1, isRemote: true });
  t.equal(inject(context).traceparent, VALID);
});

// Names are those of the W3C's own suite, w3c/trace-context test/test.py.
const REFUSED: Readonly<Record<string, string>> = {
  test_traceparent_version_0xff: `ff-${TRACE_ID}-${SPAN_ID}-01`,
  test_traceparent_version_illegal_characters: `.0-${TRACE_ID}-${SPAN_ID}-01`,
  test_traceparent_version_too_long: `000-${TRACE_ID}-${SPAN_ID}-01`,
  test_traceparent_version_too_short: `0-${TRACE_ID}-${SPAN_ID}-01`,
  test_traceparent_trace_id_all_zero: `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
  test_traceparent_trace_id_illegal_characters: `00-.${TRACE_ID.slice(1)}-${SPAN_ID}-01`,
  'an upper-case digit in the trace id': `00-A${TRACE_ID.slice(1)}-${SPAN_ID}-01`,
  'an upper-case digit in the parent id': `00-${TRACE_ID}-${SPAN_ID.slice(1)}F-01`,
  'upper-case flags': `00-${TRACE_ID}-${SPAN_ID}-0A`,
  test_traceparent_trace_id_too_long: `00-${TRACE_ID}3-${SPAN_ID}-01`,
  test_traceparent_trace_id_too_short: `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`,
  test_traceparent_parent_id_all_zero: `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
  test_traceparent_parent_id_illegal_characters: `00-${TRACE_ID}-.${SPAN_ID.slice(1)}-01`,
  test_traceparent_parent_id_too_long: `00-${TRACE_ID}-${SPAN_ID}7-01`,
  test_traceparent_parent_id_too_short: `00-${TRACE_ID}-${SPAN_ID.slice(1)}-01`,
  test_traceparent_trace_flags_illegal_characters: `00-${TRACE_ID}-${SPAN_ID}-.0`,
  test_traceparent_trace_flags_too_long: `00-${TRACE_ID}-${SPAN_ID}-001`,
  test_traceparent_trace_flags_too_short: `00-${TRACE_ID}-${SPAN_ID}-1`,
  'a trailing dash in version 00': `00-${TRACE_ID}-${SPAN_ID}-01-`,
  'more fields in version 00': `00-${TRACE_ID}-${SPAN_ID}-01-what`,
  'a higher version with text stuck to the flags': `cc-${TRACE_ID}-${SPAN_ID}-01.what`,
  'another separator': `00_${TRACE_ID}_${SPAN_ID}_01`,
  'an empty header': '',
  'two headers joined by a proxy': `${VALID}, ${VALID}`,
};
for (const [name, header] of Object.entries(REFUSED)) {
  test(`rule 62: a bad traceparent starts a new trace: ${name}`, async (t) => {
    const context = extract({ traceparent: header, tracestate: 'foo=1' });
    t.equal(context, rootContext, 'nothing is taken over, tracestate neither');
  });
}

test('test_traceparent_version_0xcc: a higher version is read by the rules of 00 and written as 00', async (t) => {
  for (const tail of ['', '-', '-what-the-future-will-be-like']) {
    const context = extract({ traceparent: `cc-${TRACE_ID}-${SPAN_ID}-01${tail}` });
    t.equal(inject(context).traceparent, VALID);
  }
});

test('test_traceparent_duplicated: more than one traceparent starts a new trace', async (t) => {
  t.equal(traceOf([VALID, VALID]), undefined);
  t.ok(traceOf([VALID]), 'one is read');
});

test('test_traceparent_ows_handling: blanks around the value do not count', async (t) => {
  for (const header of [` ${VALID}`, `\t${VALID}`, `${VALID} `, `${VALID}\t`, `\t ${VALID} \t`]) {
    t.equal(traceOf(header)?.traceId, TRACE_ID);
  }
});

test('unknown flag bits are zero on output; the random bit is kept', async (t) => {
  const flagsOut = (flags: string) =>
    inject(extract({ traceparent: `00-${TRACE_ID}-${SPAN_ID}-${flags}` })).traceparent?.slice(-2);
  t.equal(flagsOut('ff'), '03');
  t.equal(flagsOut('02'), '02');
  t.equal(flagsOut('fc'), '00');
});

test('tracestate: headers are combined in order, blanks and empty members do not count', async (t) => {
  t.equal(stateOf('foo=1,bar=2'), 'foo=1,bar=2');
  t.equal(stateOf(['foo=1,', 'bar=2 ', '', 'baz=3']), 'foo=1,bar=2,baz=3');
  t.equal(stateOf('foo=1 \t , \t bar=2, \t baz=3'), 'foo=1,bar=2,baz=3');
  t.equal(stateOf(''), undefined);
  t.equal(stateOf('1a-2f@foo=a b'), '1a-2f@foo=a b');
});

test('a bad tracestate is dropped and never affects traceparent', async (t) => {
  const bad = ['foo', 'foo =1', 'FOO=1', 'foo.bar=1', 'foo@=1', '@foo=1', 'foo@@bar=1', 'foo=bar=baz', 'foo=\u0001'];
  const long = [`${'z'.repeat(257)}=1`, `${'t'.repeat(242)}@v=1`, `t@${'v'.repeat(15)}=1`, `foo=${'v'.repeat(257)}`];
  for (const tracestate of [...bad, ...long]) {
    const trace = extract({ traceparent: VALID, tracestate: `ok=1,${tracestate}` }).get(TRACE);
    t.equal(trace?.traceId, TRACE_ID, tracestate);
    t.equal(trace?.state, undefined, tracestate);
  }
  t.ok(stateOf(`${'z'.repeat(256)}=1`), 'the longest key is fine');
  t.ok(stateOf(`${'t'.repeat(241)}@${'v'.repeat(14)}=1`), 'the longest tenant key is fine');
});

test('test_tracestate_member_count_limit: 32 members pass, 33 do not', async (t) => {
  const members = (count: number) => Array.from({ length: count }, (_, i) => `bar${i}=${i}`).join(',');
  t.equal(stateOf(members(32)), members(32));
  t.equal(stateOf(members(33)), undefined);
});

test('test_tracestate_duplicated_keys: the first of two stays', async (t) => {
  t.equal(stateOf('foo=1,bar=2,foo=3'), 'foo=1,bar=2');
});

test('a long tracestate loses whole members: those over 128 characters first, then the last', async (t) => {
  const long = `long=${'x'.repeat(200)}`;
  const short = Array.from({ length: 8 }, (_, i) => `k${i}=${'y'.repeat(50)}`);
  t.equal(stateOf([short[0] ?? '', long, ...short.slice(1)].join(',')), short.join(','));
  const many = Array.from({ length: 12 }, (_, i) => `k${i}=${'y'.repeat(50)}`);
  const kept = stateOf(many.join(','))?.split(',') ?? [];
  t.same(kept, many.slice(0, kept.length));
  t.ok(kept.length >= 8 && kept.join(',').length <= 512);
});

test('tracestate goes out beside traceparent', async (t) => {
  t.equal(inject(extract({ traceparent: VALID, tracestate: 'foo=1' })).tracestate, 'foo=1');
  t.notOk('tracestate' in inject(extract({ traceparent: VALID })));
});

test('baggage is read and written; malformed members are dropped', async (t) => {
  const context = extract({ baggage: ['a=1;meta;k=v , b = %20', 'c=3'] });
  t.same(context.get(BAGGAGE), ['a=1;meta;k=v', 'b = %20', 'c=3']);
  t.equal(inject(context).baggage, 'a=1;meta;k=v,b = %20,c=3');
  t.same(extract({ baggage: 'a=1,oops,=2,b c=3,d="x",e=\u00e9,f=6' }).get(BAGGAGE), ['a=1', 'f=6']);
});

test('baggage is limited to 64 members and 8192 bytes', async (t) => {
  const many = Array.from({ length: 70 }, (_, i) => `k${i}=v`);
  t.same(extract({ baggage: many.join(',') }).get(BAGGAGE), many.slice(0, 64));
  const big = Array.from({ length: 10 }, (_, i) => `k${i}=${'v'.repeat(997)}`); // 1000 characters each
  t.same(extract({ baggage: big.join(',') }).get(BAGGAGE), big.slice(0, 8));
  t.ok((inject(rootContext.with(BAGGAGE, big)).baggage ?? '').length <= 8192, 'on output too');
});

test('only the propagators that were chosen read and write', async (t) => {
  const headers = { traceparent: VALID, baggage: 'a=1' };
  const full = extract(headers);
  const use = (names: readonly PropagatorName[]) => {
    const one = propagator(names);
    return { read: extract(headers, one), written: inject(full, one), fields: one.fields };
  };
  t.same(use(['baggage']).written, { baggage: 'a=1' });
  t.equal(use(['baggage']).read.get(TRACE), undefined);
  t.same(use(['tracecontext', 'tracecontext']).fields, ['traceparent', 'tracestate']);
  t.same(use([]), { read: rootContext, written: {}, fields: [] });
});

test('nothing is written outside any trace', async (t) => {
  t.same(inject(rootContext), {});
});

test('what is handed over is what would have been read from the headers that would have been written', async (t) => {
  const recipe = { name: 'app:one', kind: 'internal', attributes: {} } as const;
  const started = (from: CallContext, sampler: SamplerName): CallContext => {
    const { trace } = spanRecorder({ sampler }).tracer.site(recipe).start(from, undefined);
    return from.with(TRACE, trace);
  };
  const foreign = (more: Partial<TraceContext>) =>
    rootContext.with(TRACE, { traceId: TRACE_ID, spanId: SPAN_ID, flags: 0xff, isRemote: true, ...more });
  const sampled = started(rootContext, 'always_on');
  const unsampled = started(rootContext, 'always_off');
  const overTaken = (context: CallContext) => rootContext.with(TRACE, both.handOver?.(context));
  /** Whether the headers can be left out; ids that were not made here are looked at again, and so is everything else. */
  const cases: readonly (readonly [string, CallContext, boolean])[] = [
    ['sampled', sampled, true],
    ['its child', started(sampled, 'always_on'), true],
    ['under a trace that came in', started(foreign({}), 'always_on'), true],
    ['not sampled', unsampled, true],
    ['its child', started(unsampled, 'parentbased_always_on'), true],
    ['handed over', overTaken(sampled), true],
    ['not sampled, handed over', overTaken(unsampled), true],
    ['that came in, not sampled', started(foreign({ flags: 2 }), 'parentbased_always_on'), false],
    ['that came in', foreign({}), false],
    ['without ids', foreign({ traceId: '0'.repeat(32) }), false],
    ['with state', started(foreign({ state: 'a=1' }), 'always_on'), false],
    ['with baggage', sampled.with(BAGGAGE, ['a=1']), false],
    ['outside', rootContext, false],
  ];
  for (const [title, context, isHandedOver] of cases) {
    const trace = both.handOver?.(context);
    t.equal(trace !== undefined, isHandedOver, title);
    if (trace === undefined) continue;
    const { traceId, spanId, flags, state, isRemote } = trace;
    t.match(extract(inject(context)).get(TRACE), { traceId, spanId, flags, isRemote }, title);
    t.equal(state, undefined);
  }
  t.equal(propagator(['baggage']).handOver?.(sampled), undefined);
  t.match(propagator(['tracecontext']).handOver?.(sampled.with(BAGGAGE, ['a=1'])), { isRemote: true });
});

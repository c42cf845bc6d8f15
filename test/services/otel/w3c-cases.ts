/**
 * The cases of the W3C's own suite (w3c/trace-context, test/test.py), under its names: what a request carries, and what must then
 * be seen in the requests that its handling causes. A case may send several requests.
 */
export interface W3cRequest {
  /** Names and values, alternating, as they go over the wire. */
  readonly headers: readonly string[];
  /** `same`: the trace id goes on, under another parent id. `new`: a trace id that is none of the request's. */
  readonly trace: 'same' | 'new';
  /** Members of the outgoing `tracestate`, in order; absent where the suite does not look. Empty: there is no such header. */
  readonly state?: readonly string[];
}

export const W3C_TRACE_ID = '12345678901234567890123456789012';
const PARENT_ID = '1234567890123456';
const valid = (flags: string): string => `00-${W3C_TRACE_ID}-${PARENT_ID}-${flags}`;

const parents = (trace: W3cRequest['trace'], ...values: readonly string[]): readonly W3cRequest[] =>
  values.map((value) => ({ headers: ['traceparent', value], trace }));
const named = (trace: W3cRequest['trace'], ...names: readonly string[]): readonly W3cRequest[] =>
  names.map((name) => ({ headers: [name, valid('01')], trace }));
const states = (state: readonly string[], ...values: readonly string[]): W3cRequest => ({
  headers: ['traceparent', valid('00'), ...values.flatMap((value) => ['tracestate', value])],
  trace: 'same',
  state,
});
const stateNamed = (state: readonly string[], name: string): W3cRequest => ({
  headers: ['traceparent', valid('00'), name, 'foo=1'],
  trace: 'same',
  state,
});
/** `bar01=01`, `bar02=02` ... */
const bars = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(2, '0')).map((n) => `bar${n}=${n}`);
const range = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).join('');

const KEY = `${range(0x61, 0x7a)}0123456789_-*/`;
// The last character of the suite's value is `~`; a space first is kept, a space last would be trimmed.
const VALUE = range(0x20, 0x2b) + range(0x2d, 0x3c) + range(0x3e, 0x7e);

export const W3C_CASES: Readonly<Record<string, readonly W3cRequest[]>> = {
  test_both_traceparent_and_tracestate_missing: [{ headers: [], trace: 'new', state: [] }],
  test_traceparent_included_tracestate_missing: parents('same', valid('01')),
  test_traceparent_duplicated: [
    {
      headers: ['traceparent', `00-${W3C_TRACE_ID.slice(0, -1)}1-${PARENT_ID}-01`, 'traceparent', valid('01')],
      trace: 'new',
    },
  ],
  test_traceparent_header_name: named('new', 'trace-parent', 'trace.parent'),
  test_traceparent_header_name_valid_casing: named('same', 'TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'),
  test_traceparent_version_0x00: parents('new', `${valid('01')}.`, `${valid('01')}-what-the-future-will-be-like`),
  test_traceparent_version_0xcc: [
    ...parents('same', `cc${valid('01').slice(2)}`, `cc${valid('01').slice(2)}-what-the-future-will-be-like`),
    ...parents('new', `cc${valid('01').slice(2)}.what-the-future-will-be-like`),
  ],
  test_traceparent_version_0xff: parents('new', `ff${valid('01').slice(2)}`),
  test_traceparent_version_illegal_characters: parents('new', `.0${valid('01').slice(2)}`, `0.${valid('01').slice(2)}`),
  test_traceparent_version_too_long: parents('new', `0${valid('01')}`, `00${valid('01')}`),
  test_traceparent_version_too_short: parents('new', valid('01').slice(1)),
  test_traceparent_trace_id_all_zero: parents('new', `00-${'0'.repeat(32)}-${PARENT_ID}-01`),
  test_traceparent_trace_id_illegal_characters: parents(
    'new',
    `00-.${W3C_TRACE_ID.slice(1)}-${PARENT_ID}-01`,
    `00-${W3C_TRACE_ID.slice(0, -1)}.-${PARENT_ID}-01`,
  ),
  test_traceparent_trace_id_too_long: parents('new', `00-${W3C_TRACE_ID}3-${PARENT_ID}-01`),
  test_traceparent_trace_id_too_short: parents('new', `00-${W3C_TRACE_ID.slice(0, -1)}-${PARENT_ID}-01`),
  test_traceparent_parent_id_all_zero: parents('new', `00-${W3C_TRACE_ID}-${'0'.repeat(16)}-01`),
  test_traceparent_parent_id_illegal_characters: parents(
    'new',
    `00-${W3C_TRACE_ID}-.${PARENT_ID.slice(1)}-01`,
    `00-${W3C_TRACE_ID}-${PARENT_ID.slice(0, -1)}.-01`,
  ),
  test_traceparent_parent_id_too_long: parents('new', `00-${W3C_TRACE_ID}-${PARENT_ID}7-01`),
  test_traceparent_parent_id_too_short: parents('new', `00-${W3C_TRACE_ID}-${PARENT_ID.slice(0, -1)}-01`),
  test_traceparent_trace_flags_illegal_characters: parents('new', valid('.0'), valid('0.')),
  test_traceparent_trace_flags_too_long: parents('new', valid('001')),
  test_traceparent_trace_flags_too_short: parents('new', valid('1')),
  test_traceparent_ows_handling: parents(
    'same',
    ` ${valid('01')}`,
    `\t${valid('01')}`,
    `${valid('01')} `,
    `${valid('01')}\t`,
    `\t ${valid('01')} \t`,
  ),
  test_tracestate_included_traceparent_missing: [
    { headers: ['tracestate', 'foo=1'], trace: 'new', state: [] },
    { headers: ['tracestate', 'foo=1,bar=2'], trace: 'new', state: [] },
  ],
  test_tracestate_included_traceparent_included: [states(['foo=1', 'bar=2'], 'foo=1,bar=2')],
  test_tracestate_header_name: [stateNamed([], 'trace-state'), stateNamed([], 'trace.state')],
  test_tracestate_header_name_valid_casing: [
    stateNamed(['foo=1'], 'TraceState'),
    stateNamed(['foo=1'], 'TrAcEsTaTe'),
    stateNamed(['foo=1'], 'TRACESTATE'),
  ],
  test_tracestate_empty_header: [states([], ''), states(['foo=1'], 'foo=1', ''), states(['foo=1'], '', 'foo=1')],
  test_tracestate_multiple_headers_different_keys: [
    states(['foo=1', 'bar=2', 'rojo=1', 'congo=2', 'baz=3'], 'foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'),
  ],
  // Older texts of the suite want such a tracestate dropped, newer ones keep it with or without the second of the two.
  test_tracestate_duplicated_keys: [
    states(['foo=1'], 'foo=1,foo=1'),
    states(['foo=1'], 'foo=1,foo=2'),
    states(['foo=1'], 'foo=1', 'foo=1'),
    states(['foo=1'], 'foo=1', 'foo=2'),
  ],
  test_tracestate_all_allowed_characters: [
    states([`${KEY}=${VALUE}`], `${KEY}=${VALUE}`),
    states([`${KEY}@a-z0-9_-*/=${VALUE}`], `${KEY}@a-z0-9_-*/=${VALUE}`),
  ],
  test_tracestate_ows_handling: [
    states(['foo=1', 'bar=2', 'baz=3'], 'foo=1 \t , \t bar=2, \t baz=3'),
    states(['foo=1', 'bar=2', 'baz=3'], 'foo=1\t \t,\t \tbar=2,\t \tbaz=3'),
    ...[' foo=1', '\tfoo=1', 'foo=1 ', 'foo=1\t', '\t foo=1 \t'].map((value) => states(['foo=1'], value)),
  ],
  test_tracestate_key_illegal_characters: [states([], 'foo =1'), states([], 'FOO=1'), states([], 'foo.bar=1')],
  test_tracestate_key_illegal_vendor_format: [
    'foo@=1,bar=2',
    '@foo=1,bar=2',
    'foo@@bar=1,bar=2',
    'foo@bar@baz=1,bar=2',
  ].map((value) => states([], value)),
  test_tracestate_member_count_limit: [
    states(bars(1, 32), bars(1, 10).join(), bars(11, 20).join(), bars(21, 30).join(), bars(31, 32).join()),
    states([], bars(1, 10).join(), bars(11, 20).join(), bars(21, 30).join(), bars(31, 33).join()),
  ],
  test_tracestate_key_length_limit: [
    states(['foo=1', `${'z'.repeat(256)}=1`], 'foo=1', `${'z'.repeat(256)}=1`),
    states([], 'foo=1', `${'z'.repeat(257)}=1`),
    states(['foo=1', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`], 'foo=1', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`),
    states([], 'foo=1', `${'t'.repeat(242)}@v=1`),
    states([], 'foo=1', `t@${'v'.repeat(15)}=1`),
  ],
  test_tracestate_value_illegal_characters: [states([], 'foo=bar=baz'), states([], 'foo=,bar=3')],
  // AdvancedTest: every request here is answered by three that go out.
  test_multiple_requests_with_valid_traceparent: parents('same', valid('01')),
  test_multiple_requests_without_traceparent: [{ headers: [], trace: 'new' }],
  test_multiple_requests_with_illegal_traceparent: parents('new', `00-${'0'.repeat(32)}-${PARENT_ID}-01`),
};

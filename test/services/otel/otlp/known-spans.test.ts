import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { test } from 'tap';
import { systemClock } from '../../../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../../../runtime/context.ts';
import { type Attributes, TRACE, type TraceContext } from '../../../../runtime/trace.ts';
import { traceIds } from '../../../../services/otel/ids.ts';
import { spanBatch } from '../../../../services/otel/otlp/span-batch.ts';
import { KNOWN } from '../../../../services/otel/otlp/span-fields.ts';
import { propagator } from '../../../../services/otel/propagator.ts';
import { samplingDecision } from '../../../../services/otel/sampler.ts';
import { tracer } from '../../../../services/otel/tracer.ts';
import { decodeSpans } from '../../../harness/otlp-decode.ts';

/** Spans that our tracer has started, as they came out of the SDK. */
const source = (ratio = 1) => {
  const ended: ReadableSpan[] = [];
  const ids = traceIds();
  const none = async (): Promise<void> => {};
  const processor = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: none,
    shutdown: none,
  };
  const provider = new BasicTracerProvider({ idGenerator: ids.generator, spanProcessors: [processor] });
  const decide = samplingDecision('parentbased_traceidratio', ratio);
  const made = tracer({ provider, clock: systemClock(), ids, decide, version: 'test' });
  const site = made.site({ name: 'app:one', kind: 'consumer', attributes: { 'faas.name': 'app:one', of: 'site' } });
  const span = (from: CallContext, attributes?: Attributes): CallContext => {
    const started = site.start(from, attributes && { attributes });
    started.span?.end();
    return from.with(TRACE, started.trace);
  };
  return { ended, span };
};
const encode = (spans: readonly ReadableSpan[]): Buffer => {
  const batch = spanBatch();
  for (const span of spans) batch.add(span);
  return Buffer.from(batch.seal().bytes);
};
/** The same spans as who knows nothing of our own sees them. */
const unknown = (spans: readonly ReadableSpan[]): readonly ReadableSpan[] =>
  spans.map((span) => Object.create(span, { [KNOWN]: { value: undefined } }) as ReadableSpan);

test('ids are exported as they are said, whether they were made here, handed over or came in', async (t) => {
  const { ended, span } = source();
  const remote = (traceId: string): TraceContext => ({ traceId, spanId: 'fedcba9876543210', flags: 1, isRemote: true });
  for (let i = 0; i < 50; i += 1) {
    const root = span(rootContext);
    span(span(root));
    span(span(rootContext.with(TRACE, propagator(['tracecontext']).handOver?.(root))));
    span(span(rootContext.with(TRACE, remote('0123456789abcdefFEDCBA9876543210'))));
    span(rootContext.with(TRACE, remote('0'.repeat(32)))); // no id: the SDK begins a trace of its own
  }
  const got = decodeSpans(encode(ended), 'application/x-protobuf');
  t.equal(got.length, 50 * 8);
  const wrong = ended.filter((one, i) => {
    const { traceId, spanId } = one.spanContext();
    const parent = one.parentSpanContext?.spanId ?? '';
    const [trace, id, of] = [got[i]?.traceId, got[i]?.spanId, got[i]?.parentSpanId];
    return trace !== traceId.toLowerCase() || id !== spanId || of !== parent;
  });
  t.same(wrong.length, 0);
  t.same(encode(ended), encode(unknown(ended)));
});

test('so are those of a sampler that decides before there is an id', async (t) => {
  const { ended, span } = source(0.5);
  for (let i = 0; i < 200; i += 1) span(span(rootContext));
  t.ok(ended.length > 100 && ended.length < 300, `${ended.length} of 400`);
  t.same(encode(ended), encode(unknown(ended)));
});

test('attributes that change, come back, appear and vanish are exported as they are', async (t) => {
  const { ended, span } = source();
  const shapes: readonly ((i: number) => Attributes)[] = [
    (i) => ({ a: 1, b: 'same', id: `m-${i}` }),
    (i) => ({ a: 2, b: 'same', id: `m-${i}` }),
    () => ({ a: 1 }),
    (i) => ({ b: 'same', a: 1, id: `m-${i}` }),
    (i) => ({ of: 'call', a: i, b: [1, 2], c: true }),
    () => ({ a: 1, b: 'x'.repeat(300), c: 'same' }),
  ];
  // Each often enough to be learned, each after each.
  for (let round = 0; round < 12; round += 1) {
    for (const [n, shape] of shapes.entries()) {
      for (let i = 0; i < 3 + ((round * n) % 30); i += 1) span(rootContext, shape(i % 7));
    }
  }
  const [ours, theirs] = [encode(ended), encode(unknown(ended))];
  t.ok(ours.equals(theirs), `${ours.length} and ${theirs.length} bytes of ${ended.length} spans`);
  t.ok(ended.length > 600);
});

import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { test } from 'tap';
import { spanBatch } from '../../../../services/otel/otlp/span-batch.ts';
import { KNOWN, type SpanSource, type WithKnown } from '../../../../services/otel/otlp/span-fields.ts';
import { officialDecoder } from '../../../harness/official-otlp.ts';
import { decodeSpans } from '../../../harness/otlp-decode.ts';
import { ATTRIBUTES, END, everySpan, RESOURCE, START, spanSource, stockSerializers } from './span-fixture.ts';

const official = officialDecoder();
const skip = 'missing' in official ? `the official schema is not to be had: ${official.missing}` : false;

const encode = (spans: readonly ReadableSpan[]): Buffer => {
  const batch = spanBatch();
  for (const span of spans) batch.add(span);
  return Buffer.from(batch.seal().bytes);
};
const read = (bytes: Buffer) => decodeSpans(bytes, 'application/x-protobuf');

test('every field of a span is decoded by the official schema', { skip }, async (t) => {
  if ('missing' in official) return;
  const { provider, ended } = spanSource();
  everySpan(provider);
  const ours = official.decode('traces', encode(ended));
  const [resource, ...others] = ours.resourceSpans;
  t.same(others, [], 'one resource');
  t.match(resource.resource.attributes[0], { key: 'service.name', value: { stringValue: 'shöp' } });
  t.equal(resource.scopeSpans.length, 2);
  t.match(resource.scopeSpans[0], {
    scope: { name: 'lib', version: '1.2.3' },
    schemaUrl: 'https://example.test/schema/1',
    spans: [
      {
        name: 'rich',
        kind: 'SPAN_KIND_SERVER',
        traceState: 'foo=1,bar=2',
        startTimeUnixNano: '1700000000123456789',
        endTimeUnixNano: '1700000001000000004',
        droppedAttributesCount: 1,
        droppedEventsCount: 2,
        droppedLinksCount: 1,
        status: { message: 'bröken', code: 'STATUS_CODE_ERROR' },
        flags: 0x301,
        events: [{ name: 'event 2', timeUnixNano: '1700000000000000002', droppedAttributesCount: 1 }, {}, {}],
        links: [{ traceState: 'foo=1,bar=2', flags: 0x301 }, { flags: 0x100 }],
      },
      { name: 'child', kind: 'SPAN_KIND_INTERNAL', status: { code: 'STATUS_CODE_OK' }, flags: 0x101 },
    ],
  });
  const [rich] = resource.scopeSpans[0].spans;
  t.equal(Buffer.from(rich.traceId, 'base64').toString('hex'), 'a0'.repeat(16));
  t.equal(Buffer.from(rich.parentSpanId, 'base64').toString('hex'), 'b1'.repeat(8));
  t.equal(rich.attributes.length, Object.keys(ATTRIBUTES).length);
  const attribute = (key: string) => rich.attributes.find((one: { key: string }) => one.key === key)?.value;
  t.same(attribute('lonely'), { stringValue: 'cut \ufffd off' });
  t.same(attribute('smallest exact'), { intValue: String(Number.MIN_SAFE_INTEGER) });
  t.same(attribute('beyond 64 bits'), { doubleValue: 2 ** 80 });
  t.same(attribute('holes'), { arrayValue: { values: [{ stringValue: 'a' }, {}, { stringValue: 'b' }] } });

  const stock = official.decode('traces', stockSerializers().ProtobufTraceSerializer.serializeRequest(ended));
  // It writes a status that says nothing; we leave it out.
  const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value ?? {}).length === 0;
  const said = JSON.parse(JSON.stringify(stock), (key, value) =>
    key === 'status' && isEmpty(value) ? undefined : value,
  );
  t.same(ours, said, 'and all of it is what the stock serializer says');
});

test('the official schema refuses what is not OTLP', { skip }, async (t) => {
  if ('missing' in official) return;
  t.throws(() => official.decode('traces', Buffer.from([0x0a, 0x05, 0x01])), /not OTLP/);
  t.throws(() => official.decode('traces', Buffer.from([0x22, 0x00])), /not in the schema/);
});

test('all attribute types arrive, whatever their lengths', async (t) => {
  const { provider, ended } = spanSource();
  everySpan(provider);
  const [rich] = read(encode(ended));
  t.same(rich?.attributes, { ...ATTRIBUTES, lonely: 'cut \ufffd off', 'minus zero': 0, holes: ['a', undefined, 'b'] });
  t.same(rich?.resource, RESOURCE);
  t.equal(rich?.startMs, START[0] * 1000 + 123.456789);
});

test('a text of any length is written as it is, at every border of a length', async (t) => {
  const { provider, ended } = spanSource();
  const tracer = provider.getTracer('lib');
  const lengths = [0, 1, 63, 64, 65, 100, 117, 118, 119, 126, 127, 128, 129, 16_370, 16_383, 16_384, 2_097_152];
  for (const length of lengths) {
    for (const letter of ['x', 'ü', '✓']) {
      const text = letter.repeat(length);
      tracer.startSpan('s', { attributes: { k: text, 'after it': length } }).end();
      tracer.startSpan(text, {}).end();
    }
  }
  const spans = read(encode(ended));
  t.equal(spans.length, lengths.length * 6);
  for (const [i, span] of spans.entries()) {
    t.ok(span.name === ended[i]?.name, 'the name');
    t.same(span.attributes, ended[i]?.attributes);
  }
});

/** The same span as the SDK alone knows it. */
const withoutKnown = (span: ReadableSpan): ReadableSpan =>
  Object.create(span, { [KNOWN]: { value: undefined } }) as ReadableSpan;

test('what the spans of one place have in common is the same in bytes as what they have not', async (t) => {
  const { provider, ended } = spanSource();
  const constant = { 'http.route': '/orders/{id}', 'server.port': 8080, secure: false, absent: undefined, ratio: 0.5 };
  const source: SpanSource = { name: 'GET app:get', kind: SpanKind.SERVER };
  const tracer = provider.getTracer('lib');
  const span = (name: string, kind: SpanKind, attributes: Record<string, unknown>, late?: Record<string, string>) => {
    const started = tracer.startSpan(name, { kind, attributes: attributes as never, startTime: START });
    if (late !== undefined) started.setAttributes(late);
    started.end(END);
  };
  span('GET app:get', SpanKind.SERVER, { ...constant, 'url.path': '/orders/1' });
  span('GET app:get', SpanKind.SERVER, constant);
  span('GET', SpanKind.SERVER, constant);
  span('GET app:get', SpanKind.INTERNAL, constant);
  span('GET app:get', SpanKind.SERVER, { ...constant, 'server.port': 9090 });
  span('GET app:get', SpanKind.SERVER, constant, { 'http.route': 'changed', more: 'm' });
  span('GET app:get', SpanKind.SERVER, { first: 1, ...constant });
  span('GET app:get', SpanKind.SERVER, { 'http.route': '/orders/{id}' });
  span('GET app:get', SpanKind.SERVER, {});
  for (let i = 0; i < 3; i += 1) {
    span('GET app:get', SpanKind.SERVER, { ...constant, list: ['a', 'b'], more: 'm' });
    span('GET app:get', SpanKind.SERVER, { ...constant, text: 'x'.repeat(120 + i * 5), 'url.path': `/orders/${i}` });
    span('GET app:get', SpanKind.SERVER, { a: Number.NaN, b: -0, c: 'ä'.repeat(70), d: i < 2, e: i });
  }
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key.${i}`, `${i}`.repeat(20)]));
  for (let i = 0; i < 4; i += 1) span('GET app:get', SpanKind.SERVER, many);
  span('GET app:get', SpanKind.SERVER, { ...many, 'key.39': 'another' });
  const without = encode(ended);
  const trace = { traceId: '', spanId: '', flags: 1, isRemote: false };
  for (const one of ended) (one as WithKnown)[KNOWN] = { source, trace, parent: undefined };
  t.same(encode(ended), without);
  t.same(encode([...ended, ...ended]), encode([...ended, ...ended].map(withoutKnown)), 'and once it has seen them');
  t.equal(read(without).length, 23);
});

test('a batch is empty again when it was sealed, and what could not be written leaves no trace', async (t) => {
  const { provider, ended } = spanSource();
  const tracer = provider.getTracer('lib');
  for (const name of ['one', 'two', 'three']) tracer.startSpan(name).end();
  const [one, two, three] = ended as [ReadableSpan, ReadableSpan, ReadableSpan];
  const batch = spanBatch();
  batch.add(one);
  t.throws(() =>
    batch.add({ ...two, resource: two.resource, spanContext: two.spanContext, events: undefined as never }),
  );
  batch.add(three);
  t.equal(batch.spans, 2);
  const sealed = batch.seal();
  t.equal(sealed.spans, 2);
  t.same(
    read(Buffer.from(sealed.bytes)).map((span) => span.name),
    ['one', 'three'],
  );
  t.equal(batch.spans, 0);
  batch.add(two);
  t.same(
    read(Buffer.from(batch.seal().bytes)).map((span) => span.name),
    ['two'],
  );
});

test('a text that repeats is the same bytes the second and the third time, wherever it stands', async (t) => {
  const { provider, ended } = spanSource();
  const tracer = provider.getTracer('lib');
  const texts = ['v', 'v', 'v', 'w', 'w', 'w', 'v', 'ü', 'ü', 'ü', 'x'.repeat(200), 'x'.repeat(200), 'x'.repeat(200)];
  for (const text of texts) {
    const span = tracer.startSpan('s', { attributes: { k: text, own: text } });
    span.addEvent('e', { k: text });
    span.addLink({ context: span.spanContext(), attributes: { k: text } });
    span.end();
  }
  const spans = read(encode(ended));
  t.equal(spans.length, texts.length);
  for (const [i, { attributes, events, links }] of spans.entries()) {
    t.same(attributes, { k: texts[i], own: texts[i] }, 'the one key is used elsewhere as well, the other is not');
    t.same([events[0]?.attributes.k, links[0]?.attributes.k], [texts[i], texts[i]]);
  }
});

import { createRequire } from 'node:module';
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace as traceApi } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';

export const RESOURCE = { 'service.name': 'shöp', 'process.pid': 42, 'a.list': ['x', 'y'], on: true };
export const START: [number, number] = [1_700_000_000, 123_456_789];
export const END: [number, number] = [1_700_000_001, 4];

/** The SDK with small limits; what ended stays. */
export const spanSource = () => {
  const ended: ReadableSpan[] = [];
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(RESOURCE),
    spanLimits: { attributeCountLimit: 24, eventCountLimit: 3, linkCountLimit: 2, attributePerEventCountLimit: 2 },
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => void ended.push(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  return { provider, ended };
};

export const ATTRIBUTES: Attributes = {
  text: 'plain',
  empty: '',
  unicode: 'größe ✓ 🚀',
  lonely: 'cut \ud83d off',
  'exactly 127': 'x'.repeat(127),
  'longer than a byte can say': 'y'.repeat(300),
  'long and not ASCII': 'ü'.repeat(100),
  [`a key of its own length ${'k'.repeat(120)}`]: 'v',
  zero: 0,
  'minus zero': -0,
  one: 1,
  'two bytes': 300,
  'beyond 32 bits': 2 ** 40 + 1,
  'largest exact': Number.MAX_SAFE_INTEGER,
  'beyond exact': 2 ** 62,
  'beyond 64 bits': 2 ** 80,
  negative: -1,
  'smallest exact': Number.MIN_SAFE_INTEGER,
  half: 0.5,
  yes: true,
  no: false,
  texts: ['a', 'ß', ''],
  numbers: [1, -2, 0.25],
  holes: ['a', null, 'b'],
};

/** Spans with everything that a span can have. */
export const everySpan = (provider: BasicTracerProvider): void => {
  const tracer = provider.getTracer('lib', '1.2.3', { schemaUrl: 'https://example.test/schema/1' });
  const plain = provider.getTracer('other');
  const remote = {
    traceId: 'a0'.repeat(16),
    spanId: 'b1'.repeat(8),
    traceFlags: 1,
    isRemote: true,
    traceState: new TraceState('foo=1,bar=2'),
  };
  const under = traceApi.setSpanContext(ROOT_CONTEXT, remote);

  const rich = tracer.startSpan('rich', { kind: SpanKind.SERVER, attributes: ATTRIBUTES, startTime: START }, under);
  rich.setAttribute('one too many', 1);
  for (let i = 0; i < 5; i++) rich.addEvent(`event ${i}`, { i, word: 'w', dropped: true }, [START[0], i]);
  for (let i = 0; i < 3; i++) {
    rich.addLink({ context: { ...remote, isRemote: i === 1, traceFlags: i & 1 }, attributes: { i, list: [i] } });
  }
  rich.setStatus({ code: SpanStatusCode.ERROR, message: 'bröken' });
  rich.end(END);

  const child = tracer.startSpan('child', { startTime: START }, traceApi.setSpan(ROOT_CONTEXT, rich));
  child.setStatus({ code: SpanStatusCode.OK });
  child.end(END);
  for (const kind of [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
    plain.startSpan(`kind ${kind}`, { kind, startTime: [0, 1] }, ROOT_CONTEXT).end([4_294_967_296 * 2, 999_999_999]);
  }
};

/** The SDK's own serializers, found where its exporters find them. */
export const stockSerializers = () => {
  const load = createRequire(createRequire(import.meta.url).resolve('@opentelemetry/otlp-exporter-base'));
  return load('@opentelemetry/otlp-transformer') as {
    ProtobufTraceSerializer: { serializeRequest(spans: readonly ReadableSpan[]): Uint8Array };
    ProtobufMetricsSerializer: { serializeRequest(metrics: unknown): Uint8Array };
    JsonMetricsSerializer: { serializeRequest(metrics: unknown): Uint8Array };
  };
};

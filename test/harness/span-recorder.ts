import { SpanKind as SdkSpanKind } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { SpanKind, Tracer } from '../../runtime/trace.ts';
import { traceIds } from '../../services/otel/ids.ts';
import { type SamplerName, sampler, samplingDecision } from '../../services/otel/sampler.ts';
import { tracer } from '../../services/otel/tracer.ts';
import { matches, onlySpan, type SpanQuery } from './otlp-collector.ts';
import type { CollectedSpan } from './otlp-decode.ts';

const KINDS: Readonly<Record<SdkSpanKind, SpanKind>> = {
  [SdkSpanKind.INTERNAL]: 'internal',
  [SdkSpanKind.SERVER]: 'server',
  [SdkSpanKind.CLIENT]: 'client',
  [SdkSpanKind.PRODUCER]: 'producer',
  [SdkSpanKind.CONSUMER]: 'consumer',
};
const STATUSES = ['unset', 'ok', 'error'] as const;

const collected = (span: ReadableSpan): CollectedSpan => ({
  resource: span.resource.attributes,
  scope: { name: span.instrumentationScope.name, version: span.instrumentationScope.version ?? '' },
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentSpanId: span.parentSpanContext?.spanId ?? '',
  traceState: span.spanContext().traceState?.serialize() ?? '',
  name: span.name,
  kind: KINDS[span.kind],
  attributes: span.attributes,
  status: STATUSES[span.status.code],
  statusMessage: span.status.message ?? '',
  events: span.events.map((event) => ({
    name: event.name,
    timeMs: hrTimeToMilliseconds(event.time),
    attributes: event.attributes ?? {},
  })),
  links: span.links.map((link) => ({
    traceId: link.context.traceId,
    spanId: link.context.spanId,
    attributes: link.attributes ?? {},
  })),
  startMs: hrTimeToMilliseconds(span.startTime),
  endMs: hrTimeToMilliseconds(span.endTime),
});

/** The real tracer over the real SDK; ended spans stay in memory. */
export interface SpanRecorder {
  readonly tracer: Tracer;
  readonly provider: BasicTracerProvider;
  /** Ended spans, in the order in which they ended. */
  spans(query?: SpanQuery): readonly CollectedSpan[];
  /** The only one that matches. @throws Error that lists what there is. */
  span(query: SpanQuery): CollectedSpan;
  clear(): void;
}

export const spanRecorder = (options: { sampler?: SamplerName; ratio?: number; clock?: Clock } = {}): SpanRecorder => {
  const name = options.sampler ?? 'parentbased_always_on';
  const ids = traceIds();
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    sampler: sampler(name, options.ratio ?? 1),
    idGenerator: ids.generator,
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  const all = () => memory.getFinishedSpans().map(collected);
  return {
    provider,
    tracer: tracer({
      provider,
      clock: options.clock ?? systemClock(),
      ids,
      decide: samplingDecision(name, options.ratio ?? 1),
      version: 'test',
    }),
    spans: (query = {}) => all().filter((span) => matches(span, query)),
    span: (query) => onlySpan(all(), query),
    clear: () => memory.reset(),
  };
};

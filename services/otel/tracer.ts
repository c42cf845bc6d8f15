import {
  ROOT_CONTEXT,
  type Attributes as SdkAttributes,
  type Span as SdkSpan,
  SpanKind as SdkSpanKind,
  type Tracer as SdkTracer,
  SpanStatusCode,
  type TracerProvider,
  trace as traceApi,
} from '@opentelemetry/api';
import type { Clock } from '../../runtime/clock.ts';
import { errorType, messageOf } from '../../runtime/errors.ts';
import {
  type Attributes,
  isSampled,
  type Span,
  type SpanKind,
  type SpanLink,
  type SpanSite,
  TRACE,
  type TraceContext,
  type Tracer,
} from '../../runtime/trace.ts';
import { type ExceptionMemory, exceptionAttributes, exceptionMemory } from './exception.ts';
import { toHrTime } from './hr-time.ts';
import { fromSpanContext, RANDOM_FLAG, toSpanContext } from './span-context.ts';

const KINDS: Readonly<Record<SpanKind, SdkSpanKind>> = {
  internal: SdkSpanKind.INTERNAL,
  server: SdkSpanKind.SERVER,
  client: SdkSpanKind.CLIENT,
  producer: SdkSpanKind.PRODUCER,
  consumer: SdkSpanKind.CONSUMER,
};

export interface TracerOptions {
  readonly provider: TracerProvider;
  readonly clock: Clock;
  /** 16 random hex digits. */
  readonly newSpanId: () => string;
  /** The sampler follows a parent that was not sampled: no need to ask it. */
  readonly isParentBased: boolean;
  /** The instrumentation scope's version. */
  readonly version: string;
}

/** The scope of all spans and metrics of our own. */
export const SCOPE_NAME = 'perilune';

/** `undefined` values are skipped by the SDK, and it copies arrays: read-only here, mutable in its types. */
const toSdkAttributes = (attributes: Attributes): SdkAttributes => attributes as SdkAttributes;

const toSdkLink = (link: SpanLink) => ({
  context: toSpanContext(link.trace),
  attributes: link.attributes === undefined ? undefined : toSdkAttributes(link.attributes),
});

const recordedSpan = (span: SdkSpan, trace: TraceContext, clock: Clock, wasRecorded: ExceptionMemory): Span => ({
  trace,
  setAttributes(attributes) {
    span.setAttributes(toSdkAttributes(attributes));
  },
  addEvent(name, attributes, time) {
    span.addEvent(name, toSdkAttributes(attributes ?? {}), toHrTime(time ?? clock.wall()));
  },
  addLink(link) {
    span.addLink(toSdkLink(link));
  },
  fail(error) {
    this.setError(errorType(error), messageOf(error));
    if (wasRecorded(error, trace.traceId)) return;
    this.addEvent('exception', exceptionAttributes(error));
  },
  setError(type, message) {
    span.setAttribute('error.type', type);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  },
  end(time) {
    span.end(toHrTime(time ?? clock.wall()));
  },
});

/** Spans of the OpenTelemetry SDK for our sites. The parent is the context's TRACE, never a global. */
export const tracer = (options: TracerOptions): Tracer => {
  const { clock, newSpanId } = options;
  const sdk: SdkTracer = options.provider.getTracer(SCOPE_NAME, options.version);
  const wasRecorded = exceptionMemory();

  /** What the sampler would decide is known: no SDK span is made, and the trace goes on with a new id. */
  const unsampledChild = (parent: TraceContext): TraceContext => ({
    traceId: parent.traceId,
    spanId: newSpanId(),
    flags: parent.flags & RANDOM_FLAG,
    state: parent.state,
    isRemote: false,
  });

  const site = (recipe: { name: string; kind: SpanKind; attributes: Attributes }): SpanSite => ({
    start(context, detail) {
      const parent = detail?.root === true ? undefined : context.get(TRACE);
      if (parent !== undefined && options.isParentBased && !isSampled(parent)) {
        return { trace: unsampledChild(parent), span: undefined };
      }
      const span = sdk.startSpan(
        detail?.name ?? recipe.name,
        {
          kind: KINDS[detail?.kind ?? recipe.kind],
          attributes: toSdkAttributes(
            detail?.attributes === undefined ? recipe.attributes : { ...recipe.attributes, ...detail.attributes },
          ),
          links: detail?.links?.map(toSdkLink),
          startTime: toHrTime(detail?.startTime ?? clock.wall()),
        },
        parent === undefined ? ROOT_CONTEXT : traceApi.setSpanContext(ROOT_CONTEXT, toSpanContext(parent)),
      );
      const trace = fromSpanContext(span.spanContext(), parent?.flags ?? 0);
      return { trace, span: span.isRecording() ? recordedSpan(span, trace, clock, wasRecorded) : undefined };
    },
  });
  return { site };
};

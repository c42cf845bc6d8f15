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
  type Span,
  type SpanKind,
  type SpanLink,
  type SpanSite,
  type StartedSpan,
  TRACE,
  type TraceContext,
  type Tracer,
} from '../../runtime/trace.ts';
import { type ExceptionMemory, exceptionAttributes, exceptionMemory } from './exception.ts';
import { toHrTime } from './hr-time.ts';
import type { TraceIds } from './ids.ts';
import { SITE_CONSTANTS, siteConstants, type WithConstants } from './otlp/span-fields.ts';
import type { SamplingDecision } from './sampler.ts';
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
  readonly ids: TraceIds;
  /** What the provider's sampler will decide. Absent for a sampler that we don't know: the SDK is asked every time. */
  readonly decide?: SamplingDecision;
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

/** What the call names, and the message that its coroutine has received last. */
const linksOf = (named: readonly SpanLink[] | undefined, received: TraceContext | undefined) =>
  received === undefined ? named?.map(toSdkLink) : [...(named ?? []).map(toSdkLink), toSdkLink({ trace: received })];

/** A span of the SDK behind our interface. One object per span: methods stay on the prototype. */
class RecordedSpan implements StartedSpan, Span {
  readonly trace: TraceContext;
  readonly #span: SdkSpan;
  readonly #clock: Clock;
  readonly #wasRecorded: ExceptionMemory;

  constructor(span: SdkSpan, trace: TraceContext, clock: Clock, wasRecorded: ExceptionMemory) {
    this.trace = trace;
    this.#span = span;
    this.#clock = clock;
    this.#wasRecorded = wasRecorded;
  }

  get span(): Span {
    return this;
  }

  setAttributes(attributes: Attributes): void {
    this.#span.setAttributes(toSdkAttributes(attributes));
  }

  addEvent(name: string, attributes?: Attributes, time?: number): void {
    this.#span.addEvent(name, toSdkAttributes(attributes ?? {}), toHrTime(time ?? this.#clock.wall()));
  }

  addLink(link: SpanLink): void {
    this.#span.addLink(toSdkLink(link));
  }

  fail(error: unknown): void {
    this.setError(errorType(error), messageOf(error));
    if (this.#wasRecorded(error, this.trace.traceId)) return;
    this.addEvent('exception', exceptionAttributes(error));
  }

  setError(type: string, message?: string): void {
    this.#span.setAttribute('error.type', type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(time?: number): void {
    this.#span.end(toHrTime(time ?? this.#clock.wall()));
  }
}

/**
 * The position of a call that is not sampled, and all that starting it gives: the one object that such a call costs. Its span
 * id is made for who asks: a header that goes out, a line of log.
 */
class UnsampledTrace implements StartedSpan, TraceContext {
  readonly traceId: string;
  readonly flags: number;
  readonly state: string | undefined;
  readonly isRemote = false;
  readonly #ids: TraceIds;
  #spanId: string | undefined;

  constructor(parent: TraceContext | undefined, traceId: string, ids: TraceIds) {
    this.traceId = traceId;
    this.#ids = ids;
    this.flags = parent === undefined ? 0 : parent.flags & RANDOM_FLAG;
    this.state = parent?.state;
  }

  get spanId(): string {
    this.#spanId ??= this.#ids.spanId();
    return this.#spanId;
  }

  get trace(): TraceContext {
    return this;
  }

  get span(): undefined {
    return undefined;
  }
}

/** Spans of the OpenTelemetry SDK for our sites. The parent is the context's TRACE, never a global. */
export const tracer = (options: TracerOptions): Tracer => {
  const { clock, ids, decide } = options;
  const sdk: SdkTracer = options.provider.getTracer(SCOPE_NAME, options.version);
  const wasRecorded = exceptionMemory();

  const site = (recipe: { name: string; kind: SpanKind; attributes: Attributes }): SpanSite => {
    const attributes = toSdkAttributes(recipe.attributes);
    const constants = siteConstants(recipe.name, KINDS[recipe.kind], attributes);
    return {
      start(context, detail) {
        const parent = detail?.root === true ? undefined : context.get(TRACE);
        if (decide !== undefined) {
          const traceId = parent === undefined ? ids.traceId() : parent.traceId;
          if (!decide(parent, traceId)) return new UnsampledTrace(parent, traceId, ids);
          if (parent === undefined) ids.reserve(traceId);
        }
        const span = sdk.startSpan(
          detail?.name ?? recipe.name,
          {
            kind: KINDS[detail?.kind ?? recipe.kind],
            attributes:
              detail?.attributes === undefined ? attributes : { ...attributes, ...toSdkAttributes(detail.attributes) },
            links: linksOf(detail?.links, parent?.received),
            startTime: toHrTime(detail?.startTime ?? clock.wall()),
          },
          parent === undefined ? ROOT_CONTEXT : traceApi.setSpanContext(ROOT_CONTEXT, toSpanContext(parent)),
        );
        const trace = fromSpanContext(span.spanContext(), parent?.flags ?? 0);
        if (!span.isRecording()) return { trace, span: undefined };
        (span as WithConstants)[SITE_CONSTANTS] = constants;
        return new RecordedSpan(span, trace, clock, wasRecorded);
      },
    };
  };
  return { site };
};

import {
  ROOT_CONTEXT,
  type Attributes as SdkAttributes,
  type Span as SdkSpan,
  SpanKind as SdkSpanKind,
  type Tracer as SdkTracer,
  type SpanContext,
  type SpanOptions,
  SpanStatusCode,
  type TracerProvider,
  trace as traceApi,
} from '@opentelemetry/api';
import type { Clock } from '../../runtime/clock.ts';
import { errorType, telemetryMessageOf } from '../../runtime/errors.ts';
import {
  type Attributes,
  type Span,
  type SpanDetail,
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
import { KNOWN, type KnownSpan, type SpanSource, type WithKnown } from './otlp/span-fields.ts';
import type { SamplingDecision } from './sampler.ts';
import { fromSpanContext, parentContexts, toSpanContext } from './span-context.ts';
import { RANDOM_FLAG, SpanPosition, wordsOf } from './span-position.ts';
import { UnsampledTrace } from './unsampled-trace.ts';

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
  /**
   * What the provider's sampler will decide; it and the processors then take no interest in a span's first attributes.
   * Absent for a provider that we don't know: the SDK is asked every time, with all there is.
   */
  readonly decide?: SamplingDecision;
  /** Told right before a span that `decide` has said yes to is started. */
  readonly announce?: () => void;
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

/** What all spans of one tracer share. */
interface Recording {
  readonly clock: Clock;
  readonly wasRecorded: ExceptionMemory;
}

/** A span of the SDK behind our interface. One object per span: methods stay on the prototype. */
class RecordedSpan implements StartedSpan, Span, KnownSpan {
  readonly trace: TraceContext;
  readonly source: SpanSource;
  readonly parent: TraceContext | undefined;
  readonly #span: SdkSpan;
  readonly #recording: Recording;

  constructor(
    span: SdkSpan,
    trace: TraceContext,
    source: SpanSource,
    parent: TraceContext | undefined,
    recording: Recording,
  ) {
    this.trace = trace;
    this.source = source;
    this.parent = parent;
    this.#span = span;
    this.#recording = recording;
  }

  get span(): Span {
    return this;
  }

  setAttributes(attributes: Attributes): void {
    this.#span.setAttributes(toSdkAttributes(attributes));
  }

  addEvent(name: string, attributes?: Attributes, time?: number): void {
    this.#span.addEvent(name, toSdkAttributes(attributes ?? {}), toHrTime(time ?? this.#recording.clock.wall()));
  }

  addLink(link: SpanLink): void {
    this.#span.addLink(toSdkLink(link));
  }

  fail(error: unknown): void {
    this.setError(errorType(error), telemetryMessageOf(error));
    if (this.#recording.wasRecorded(error, this.trace.traceId)) return;
    this.addEvent('exception', exceptionAttributes(error));
  }

  setError(type: string, message?: string): void {
    this.#span.setAttribute('error.type', type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(time?: number): void {
    this.#span.end(toHrTime(time ?? this.#recording.clock.wall()));
  }
}

/** Spans of the OpenTelemetry SDK for our sites. The parent is the context's TRACE, never a global. */
export const tracer = (options: TracerOptions): Tracer => {
  const { clock, ids, decide, announce } = options;
  const sdk: SdkTracer = options.provider.getTracer(SCOPE_NAME, options.version);
  const recording: Recording = { clock, wasRecorded: exceptionMemory() };
  const contextUnder = parentContexts();

  /** Of a span that the SDK has just made. */
  const positionOf = (span: SpanContext, parent: TraceContext | undefined): TraceContext => {
    const { traceId, spanId, traceFlags, traceState } = span;
    const flags = parent === undefined ? traceFlags : traceFlags | (parent.flags & RANDOM_FLAG);
    const state = traceState === undefined ? undefined : parent?.state; // the SDK leaves a parent with bad ids
    const spanWords = ids.spanWords(spanId);
    if (spanWords === undefined) return { traceId, spanId, flags, state, isRemote: false };
    const ofParent = parent instanceof SpanPosition && parent.traceId === traceId ? parent.traceWords : undefined;
    const traceWords = ofParent ?? ids.traceWords(traceId) ?? wordsOf(traceId);
    return new SpanPosition(span, { traceWords, spanWords }, flags, state, false);
  };

  const site = (recipe: { name: string; kind: SpanKind; attributes: Attributes }): SpanSite => {
    const attributes = toSdkAttributes(recipe.attributes);
    const kind = KINDS[recipe.kind];
    const source: SpanSource = { name: recipe.name, kind, encoded: undefined };

    const startTime = (detail: SpanDetail | undefined) => toHrTime(detail?.startTime ?? clock.wall());

    /** A span that is known to be sampled: attributes are given to it once, and not to a sampler before. */
    const record = (parent: TraceContext | undefined, detail: SpanDetail | undefined): RecordedSpan => {
      const of: SpanOptions = {
        kind: detail?.kind === undefined ? kind : KINDS[detail.kind],
        startTime: startTime(detail),
        links: linksOf(detail?.links, parent?.received),
      };
      announce?.();
      const under = contextUnder(parent === undefined ? undefined : toSpanContext(parent));
      const span = sdk.startSpan(detail?.name ?? recipe.name, of, under);
      const recorded = new RecordedSpan(span, positionOf(span.spanContext(), parent), source, parent, recording);
      (span as WithKnown)[KNOWN] = recorded;
      span.setAttributes(attributes);
      if (detail?.attributes !== undefined) span.setAttributes(toSdkAttributes(detail.attributes));
      return recorded;
    };

    /** A span of a provider that we don't know. */
    const ask = (parent: TraceContext | undefined, detail: SpanDetail | undefined): StartedSpan => {
      const span = sdk.startSpan(
        detail?.name ?? recipe.name,
        {
          kind: detail?.kind === undefined ? kind : KINDS[detail.kind],
          attributes:
            detail?.attributes === undefined ? attributes : { ...attributes, ...toSdkAttributes(detail.attributes) },
          links: linksOf(detail?.links, parent?.received),
          startTime: startTime(detail),
        },
        parent === undefined ? ROOT_CONTEXT : traceApi.setSpanContext(ROOT_CONTEXT, toSpanContext(parent)),
      );
      const trace = fromSpanContext(span.spanContext(), parent?.flags ?? 0);
      return span.isRecording() ? new RecordedSpan(span, trace, source, parent, recording) : { trace, span: undefined };
    };

    return {
      start(context, detail) {
        const parent = detail?.root === true ? undefined : context.get(TRACE);
        if (decide === undefined) return ask(parent, detail);
        if (parent !== undefined) {
          return decide.child(parent) ? record(parent, detail) : new UnsampledTrace(ids, parent, undefined);
        }
        const { root } = decide;
        if (root === true) return record(undefined, detail);
        if (root === false) return new UnsampledTrace(ids, undefined, undefined);
        const fold = ids.fold();
        if (!root(fold)) return new UnsampledTrace(ids, undefined, fold);
        ids.reserve(ids.traceIdOf(fold));
        return record(undefined, detail);
      },
    };
  };
  // While there is one, V8 remembers their shape: a thorough collection forgets those that no object has.
  const standing = new UnsampledTrace(ids, undefined, undefined);
  return Object.assign({ site }, { standing });
};

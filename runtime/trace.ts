import { type CallContext, contextKey } from './context.ts';

/** The ids of a span in W3C form: 32 and 16 lower-case hex digits. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** The position in a trace that a context carries: what a child takes as its parent, what an injected header says. */
export interface TraceContext extends SpanIds {
  /** The W3C flags byte; bit 0 is "sampled". */
  readonly flags: number;
  /** The text of `tracestate`, already limited and cleaned; absent when there is none. */
  readonly state?: string;
  readonly isRemote: boolean;
  /**
   * Of a coroutine of a process: where the message comes from that it has received last. Spans that start under this
   * position carry a link to it (telemetry.md, section 2); their own callees do not.
   */
  readonly received?: TraceContext;
}

export const isSampled = (trace: TraceContext): boolean => (trace.flags & 1) === 1;

export type AttributeValue = string | number | boolean | readonly string[] | readonly number[] | readonly boolean[];
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface SpanLink {
  readonly trace: TraceContext;
  readonly attributes?: Attributes;
}

/** The current span, sampled or not, remote or local. Undefined outside any trace. */
export const TRACE = contextKey<TraceContext | undefined>('trace', undefined);
/** W3C baggage, as the list of its raw members (`key=value;properties`), in order. */
export const BAGGAGE = contextKey<readonly string[]>('baggage', []);

/** What one call adds to the recipe of its site; made per call, so keep it small. */
export interface SpanDetail {
  readonly name?: string;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: readonly SpanLink[];
  /** Milliseconds since the epoch; now when absent. */
  readonly startTime?: number;
  /** Ignore the context's trace and start a new one. */
  readonly root?: boolean;
}

/** A span that is being recorded. */
export interface Span {
  readonly trace: TraceContext;
  setAttributes(attributes: Attributes): void;
  addEvent(name: string, attributes?: Attributes, time?: number): void;
  addLink(link: SpanLink): void;
  /** Records the exception once (however often it rises), and sets `error.type` and the status Error. */
  fail(error: unknown): void;
  /** Sets the status Error with `error.type` where nothing was thrown (a 500, a 404 to a client). */
  setError(type: string, message?: string): void;
  end(time?: number): void;
}

/** Makes spans for sites. `services/otel` gives the real one; without it `noTracer`. */
export interface Tracer {
  /**
   * Begins a span for a call. What is constant for the site (name, kind, attributes) is prepared once by `site`.
   * `span` is undefined when the sampler said no: `trace` is then the position to hand on, and nothing is recorded.
   */
  site(recipe: { name: string; kind: SpanKind; attributes: Attributes }): SpanSite;
}

export interface SpanSite {
  start(context: CallContext, detail: SpanDetail | undefined): StartedSpan;
}

export interface StartedSpan {
  /** The new position in the trace; the parent's own when spans are off altogether; undefined when there is none. */
  readonly trace: TraceContext | undefined;
  readonly span: Span | undefined;
}

/** Reads and writes the trace context in carriers. Never throws: a bad header starts a new trace. */
export interface Propagator {
  /** Header names that `inject` may write, lower case. */
  readonly fields: readonly string[];
  inject(context: CallContext, set: (name: string, value: string) => void): void;
  /** `get` returns every value of a header, in order; an empty array when absent. */
  extract(context: CallContext, get: (name: string) => readonly string[]): CallContext;
  /**
   * The position that `extract` would find in what `inject` writes, where that is all that it would find: for what never
   * leaves this program. Undefined, or no such method: only the headers can tell.
   */
  handOver?(context: CallContext): TraceContext | undefined;
}

/** Runs code of third parties with the context where their instrumentation looks for it (AsyncLocalStorage). */
export interface ThirdPartyScope {
  run<T>(context: CallContext, body: () => T): T;
  /**
   * Whether instrumentation of `node:http` (`node:https`) gives an outgoing request its span and its header. It may
   * come and go while the program runs: ask for each request.
   */
  tracesRequests(protocol: 'http:' | 'https:'): boolean;
}

/** Tracing switched off: the trace that came in is handed on as it is. */
export const noTracer: Tracer = {
  site: () => ({ start: (context) => ({ trace: context.get(TRACE), span: undefined }) }),
};
export const noThirdPartyScope: ThirdPartyScope = {
  run: (_context, body) => body(),
  tracesRequests: () => false,
};

import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  TraceFlags,
  type TraceState,
  trace as traceApi,
} from '@opentelemetry/api';
import { TraceState as SdkTraceState } from '@opentelemetry/core';
import type { TraceContext } from '../../runtime/trace.ts';
import { RANDOM_FLAG } from './span-position.ts';

/** Hands the text on as it came; the SDK's own class would rewrite and shorten it. Parsed only when somebody looks inside. */
const traceState = (text: string): TraceState => ({
  serialize: () => text,
  get: (key) => new SdkTraceState(text).get(key),
  set: (key, value) => new SdkTraceState(text).set(key, value),
  unset: (key) => new SdkTraceState(text).unset(key),
});

export const toSpanContext = (trace: TraceContext): SpanContext => ({
  traceId: trace.traceId,
  spanId: trace.spanId,
  traceFlags: trace.flags,
  traceState: trace.state === undefined ? undefined : traceState(trace.state),
  isRemote: trace.isRemote,
});

/** `inheritedFlags` are the parent's: its random bit describes the trace id, which both share; the SDK forgets it. */
export const fromSpanContext = (span: SpanContext, inheritedFlags: number): TraceContext => {
  const state = span.traceState?.serialize();
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    flags: (span.traceFlags & TraceFlags.SAMPLED) | (inheritedFlags & RANDOM_FLAG),
    state: state === '' ? undefined : state,
    isRemote: span.isRemote === true,
  };
};

/** The API keeps the key of its span to itself, but not from the context that it is to be set in. */
const spanKey = (): symbol | undefined => {
  let key: symbol | undefined;
  const asked: Context = {
    getValue: () => undefined,
    setValue(given) {
      key = given;
      return asked;
    },
    deleteValue: () => asked,
  };
  traceApi.setSpan(asked, traceApi.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }));
  return key;
};

/**
 * What `trace.setSpanContext(ROOT_CONTEXT, ...)` gives, or ROOT_CONTEXT without a parent, but without the map and the closures
 * of the API's own contexts, and both of one class: the SDK asks them three times for each span.
 */
export const parentContexts = (): ((parent: SpanContext | undefined) => Context) => {
  const key = spanKey();

  class ParentContext implements Context {
    readonly #span: Span | undefined;
    constructor(span: Span | undefined) {
      this.#span = span;
    }
    getValue(asked: symbol): unknown {
      return asked === key ? this.#span : undefined;
    }
    setValue(given: symbol, value: unknown): Context {
      const span = this.#span;
      return (span === undefined ? ROOT_CONTEXT : traceApi.setSpan(ROOT_CONTEXT, span)).setValue(given, value);
    }
    deleteValue(given: symbol): Context {
      return given === key ? ROOT_CONTEXT : this;
    }
  }
  const root = new ParentContext(undefined);
  return (parent) => (parent === undefined ? root : new ParentContext(traceApi.wrapSpanContext(parent)));
};

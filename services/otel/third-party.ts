import http from 'node:http';
import https from 'node:https';
import {
  type Context,
  context as contextApi,
  createContextKey,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace as traceApi,
} from '@opentelemetry/api';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import { type Propagator, type ThirdPartyScope, TRACE } from '../../runtime/trace.ts';
import { fromSpanContext, toSpanContext } from './span-context.ts';

/** Our context inside the API's: baggage and whatever else the API's keys don't carry travel along. */
const CALL_CONTEXT = createContextKey('perilune call context');

export const toApiContext = (base: Context, context: CallContext): Context => {
  const carrying = base.setValue(CALL_CONTEXT, context);
  const trace = context.get(TRACE);
  return trace === undefined ? carrying : traceApi.setSpanContext(carrying, toSpanContext(trace));
};

/** The other way: our context at the span that a third party made. An invalid span (tracing suppressed) changes nothing. */
export const toCallContext = (context: Context): CallContext => {
  const call = (context.getValue(CALL_CONTEXT) as CallContext | undefined) ?? rootContext;
  const span = traceApi.getSpanContext(context);
  if (span === undefined || !isSpanContextValid(span)) return call;
  const current = call.get(TRACE);
  if (current?.spanId === span.spanId) return call;
  return call.with(TRACE, fromSpanContext(span, current?.traceId === span.traceId ? current.flags : 0));
};

/** Without a context manager, `with` runs its body in the root context, where no parent would be found. */
const hasContextManager = (): boolean =>
  contextApi.with(ROOT_CONTEXT.setValue(CALL_CONTEXT, rootContext), () => contextApi.active() !== ROOT_CONTEXT);

/** The API's own provider stands in until somebody registers one, and makes no spans. */
const hasTracerProvider = (): boolean => {
  const provider = traceApi.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('perilune') !== undefined;
};

/** The mark that OpenTelemetry's instrumentation leaves on what it replaced (`isWrapped` of its base package). */
const isInstrumented = (module: typeof http | typeof https): boolean =>
  (module.request as { __wrapped?: unknown }).__wrapped === true;

/** Where instrumentation of third parties looks for its parent. Works from the moment the API has a context manager. */
export const thirdPartyScope: ThirdPartyScope = {
  run: (context, body) => contextApi.with(toApiContext(ROOT_CONTEXT, context), body),
  // Instrumentation alone is not enough: it takes its parent and its provider from the globals.
  tracesRequests: (protocol) =>
    isInstrumented(protocol === 'https:' ? https : http) && hasContextManager() && hasTracerProvider(),
};

/** Our propagator behind the API's interface. */
export const textMapPropagator = (own: Propagator): TextMapPropagator => ({
  inject(context, carrier, setter) {
    own.inject(toCallContext(context), (name, value) => setter.set(carrier, name, value));
  },
  extract(context, carrier, getter) {
    const extracted = own.extract(rootContext, (name) => {
      const value = getter.get(carrier, name);
      if (value === undefined) return [];
      return Array.isArray(value) ? value : [value];
    });
    return extracted === rootContext ? context : toApiContext(context, extracted);
  },
  fields: () => [...own.fields],
});

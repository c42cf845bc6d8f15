import { BAGGAGE, type Propagator, TRACE } from '../../runtime/trace.ts';
import { parseBaggage, renderBaggage } from './baggage.ts';
import { OwnPosition } from './span-position.ts';
import { parseTraceparent, renderTraceparent } from './traceparent.ts';
import { parseTracestate } from './tracestate.ts';

/** `none` stands for an empty list. Names beyond these are warned about where settings are read. */
export const PROPAGATOR_NAMES = ['tracecontext', 'baggage'] as const;
export type PropagatorName = (typeof PROPAGATOR_NAMES)[number];

/** W3C Trace Context over our own contexts: https://www.w3.org/TR/trace-context/. */
const traceContext: Propagator = {
  fields: ['traceparent', 'tracestate'],
  inject(context, set) {
    const trace = context.get(TRACE);
    if (trace === undefined) return;
    set('traceparent', renderTraceparent(trace));
    if (trace.state !== undefined && trace.state !== '') set('tracestate', trace.state);
  },
  extract(context, get) {
    const headers = get('traceparent');
    const header = headers[0];
    // Which of two would be right is unknowable: a new trace begins (W3C test suite, test_traceparent_duplicated).
    if (header === undefined || headers.length > 1) return context;
    const trace = parseTraceparent(header);
    if (trace === undefined) return context;
    const state = parseTracestate(get('tracestate'));
    return context.with(TRACE, state === undefined ? trace : { ...trace, state });
  },
};

/** W3C Baggage: https://www.w3.org/TR/baggage/. */
const baggage: Propagator = {
  fields: ['baggage'],
  inject(context, set) {
    const members = context.get(BAGGAGE);
    if (members.length > 0) set('baggage', renderBaggage(members));
  },
  extract(context, get) {
    const headers = get('baggage');
    if (headers.length === 0) return context;
    const members = parseBaggage(headers);
    return members.length === 0 ? context : context.with(BAGGAGE, members);
  },
};

/**
 * The propagator of the configured names, each used once. Without any, nothing is read or written.
 * A header that is malformed leaves the context as it is; nothing throws.
 */
export const propagator = (names: readonly PropagatorName[]): Propagator => {
  const parts = [...new Set(names)].map((name) => (name === 'tracecontext' ? traceContext : baggage));
  const [hasTrace, hasBaggage] = [parts.includes(traceContext), parts.includes(baggage)];
  return {
    fields: parts.flatMap((part) => part.fields),
    inject(context, set) {
      for (const part of parts) part.inject(context, set);
    },
    extract(context, get) {
      let extracted = context;
      for (const part of parts) extracted = part.extract(extracted, get);
      return extracted;
    },
    handOver(context) {
      const trace = hasTrace ? context.get(TRACE) : undefined;
      if (!(trace instanceof OwnPosition)) return undefined; // ids from elsewhere are checked when they are read
      if (trace.state !== undefined && trace.state !== '') return undefined;
      return hasBaggage && context.get(BAGGAGE).length > 0 ? undefined : trace.remote();
    },
  };
};

import type { CallContext } from './context.ts';
import { isSampled, type Propagator, TRACE } from './trace.ts';

/** The `traceparent` of a context, for what marks data with it; undefined outside of a sampled trace. */
export const sampledTraceparent = (propagator: Propagator, context: CallContext): string | undefined => {
  const trace = context.get(TRACE);
  if (trace === undefined || !isSampled(trace)) return undefined;
  let traceparent: string | undefined;
  propagator.inject(context, (name, value) => {
    if (name === 'traceparent') traceparent = value;
  });
  return traceparent;
};

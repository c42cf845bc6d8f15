import { type Context, propagation, ROOT_CONTEXT, type TextMapPropagator } from '@opentelemetry/api';
import { type CallContext, contextKey } from '../../runtime/context.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { BAGGAGE, type Propagator } from '../../runtime/trace.ts';
import { fromApiBaggage, toApiBaggage } from './api-baggage.ts';
import { toApiContext, toCallContext } from './third-party.ts';

/** What a propagator put into the API's context beside span and baggage (B3's debug flag ...): handed on as it is. */
const EXTRACTED = contextKey<Context>('extracted', ROOT_CONTEXT);

/** The API's context of a call: its span, its baggage, and what a host's propagator once read. */
export const apiContextOf = (context: CallContext): Context => {
  const at = toApiContext(context.get(EXTRACTED), context);
  const members = context.get(BAGGAGE);
  return members.length === 0 ? at : propagation.setBaggage(at, toApiBaggage(members));
};

/** The other way, for a call that belongs to a span of the host's. */
export const callContextOf = (context: Context): CallContext => {
  const call = toCallContext(context);
  const baggage = propagation.getBaggage(context);
  return baggage === undefined ? call : call.with(BAGGAGE, fromApiBaggage(baggage));
};

/** Ours as it is; one of the API's behind our interface. What it throws is logged once, and the trace begins anew. */
export const hostPropagator = (given: Propagator | TextMapPropagator, logger: Logger): Propagator => {
  if (typeof given.fields !== 'function') return given as Propagator;
  const theirs = given as TextMapPropagator;
  let isBroken = false;
  const guarded = <T>(instead: T, step: () => T): T => {
    try {
      return step();
    } catch (error) {
      const text = 'the propagator of the host program failed; traces may be cut in two';
      if (!isBroken) logger.error(text, { error: messageOf(error) });
      isBroken = true;
      return instead;
    }
  };
  const fields = theirs.fields().map((name) => name.toLowerCase());
  return {
    fields,
    inject: (context, set) =>
      guarded(undefined, () =>
        theirs.inject(apiContextOf(context), undefined, {
          set: (_carrier, name, value) => set(name.toLowerCase(), value),
        }),
      ),
    extract: (context, get) =>
      guarded(context, () => {
        const extracted = theirs.extract(apiContextOf(context), undefined, {
          keys: () => fields,
          get(_carrier, name) {
            const values = get(name.toLowerCase());
            return values.length > 1 ? [...values] : values[0];
          },
        });
        return callContextOf(extracted).with(EXTRACTED, extracted);
      }),
  };
};

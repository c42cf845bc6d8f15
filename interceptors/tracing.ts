import { type Call, type Interceptor, isPromise, type SpanRecipe } from '../runtime/call.ts';
import { messageOf } from '../runtime/errors.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { type Span, type StartedSpan, TRACE, type Tracer } from '../runtime/trace.ts';

/**
 * Gives every call of a site that has a span recipe its span, and its callees a context that names it. What goes wrong in
 * tracing itself never reaches the call: it is logged once, and the call goes on without its span.
 */
export const tracing = (tracer: Tracer, order: number, logger: Logger = silentLogger): Interceptor => {
  let isBroken = false;
  const broken = (site: string, error: unknown): void => {
    if (isBroken) return;
    isBroken = true;
    logger.error('tracing failed; calls go on, spans may be missing', { site, error: messageOf(error) });
  };

  return {
    name: 'tracing',
    order,
    wrap<In, Out>(next: (call: Call<In>) => Out | Promise<Out>, site: { target: string; span?: SpanRecipe<In, Out> }) {
      const recipe = site.span;
      if (recipe === undefined) return next; // no span here, nothing to pay
      const guarded = (step: () => void): void => {
        try {
          step();
        } catch (error) {
          broken(site.target, error);
        }
      };
      const spanSite = tracer.site(recipe);

      const succeed = (span: Span, out: Out, call: Call<In>): void => {
        guarded(() => {
          const attributes = recipe.result?.(out, call);
          if (attributes !== undefined) span.setAttributes(attributes);
          const failure = recipe.failure?.(out, call);
          if (failure !== undefined) span.setError(failure.type, failure.message);
        });
        guarded(() => span.end());
      };
      const fail = (span: Span, error: unknown): void => {
        guarded(() => span.fail(error));
        guarded(() => span.end());
      };

      return (call: Call<In>): Out | Promise<Out> => {
        let started: StartedSpan;
        try {
          started = spanSite.start(call.context, recipe.detail?.(call));
        } catch (error) {
          broken(site.target, error);
          return next(call);
        }
        const { trace, span } = started;
        if (trace === undefined || trace === call.context.get(TRACE)) return next(call); // spans are off
        const inner: Call<In> = {
          input: call.input,
          context: call.context.with(TRACE, trace),
          options: call.options,
          attempt: call.attempt,
        };
        if (span === undefined) return next(inner);

        // The incoming call is the one that metrics, further out, holds; the inner one is for an order that was swapped.
        call.trace = trace;
        inner.trace = trace;
        if (recipe.started !== undefined) guarded(() => recipe.started?.(span, call));
        let out: Out | Promise<Out>;
        try {
          out = next(inner);
        } catch (error) {
          fail(span, error);
          throw error;
        }
        if (!isPromise(out)) {
          succeed(span, out, call);
          return out;
        }
        return out.then(
          (value) => {
            succeed(span, value, call);
            return value;
          },
          (error: unknown) => {
            fail(span, error);
            throw error;
          },
        );
      };
    },
  };
};

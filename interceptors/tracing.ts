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
      const spanSite = tracer.site(recipe);

      const end = (span: Span): void => {
        try {
          span.end();
        } catch (error) {
          broken(site.target, error);
        }
      };
      const succeed = (span: Span, out: Out, call: Call<In>): void => {
        try {
          const attributes = recipe.result?.(out, call);
          if (attributes !== undefined) span.setAttributes(attributes);
          const failure = recipe.failure?.(out, call);
          if (failure !== undefined) span.setError(failure.type, failure.message);
        } catch (error) {
          broken(site.target, error);
        }
        end(span);
      };
      const fail = (span: Span, failure: unknown): void => {
        try {
          span.fail(failure);
        } catch (error) {
          broken(site.target, error);
        }
        end(span);
      };

      const begin = (span: Span, call: Call<In>): void => {
        try {
          recipe.started?.(span, call);
        } catch (error) {
          broken(site.target, error);
        }
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
        const { input, options, attempt } = call;
        const context = call.context.with(TRACE, trace);
        if (span === undefined) return next({ input, context, options, attempt });

        // The incoming call is the one that metrics, further out, holds; the inner one is for an order that was swapped.
        call.trace = trace;
        const inner: Call<In> = { input, context, options, attempt, trace };
        if (recipe.started !== undefined) begin(span, call);
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

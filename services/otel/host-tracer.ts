import { isSpanContextValid, type TracerProvider } from '@opentelemetry/api';
import type { Clock } from '../../runtime/clock.ts';
import { TRACE, type Tracer } from '../../runtime/trace.ts';
import { traceIds } from './ids.ts';
import { toSpanContext } from './span-context.ts';
import { tracer } from './tracer.ts';

/**
 * Our spans from a host program's provider. Its sampler is asked for each of them: it is not known to follow the
 * parent. Where the provider makes none (none is registered yet, or it has ended), the trace that came in is handed on.
 */
export const hostTracer = (provider: TracerProvider, clock: Clock, version: string): Tracer => {
  // Without `decide` the provider is asked for every span, and gives them their ids.
  const made = tracer({ provider, clock, ids: traceIds(), version });
  return {
    site(recipe) {
      const site = made.site(recipe);
      return {
        start(context, detail) {
          const started = site.start(context, detail);
          const { trace } = started;
          if (trace !== undefined && isSpanContextValid(toSpanContext(trace))) return started;
          return { trace: context.get(TRACE), span: undefined };
        },
      };
    },
  };
};

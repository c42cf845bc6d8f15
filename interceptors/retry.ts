import { type Call, type Interceptor, isPromise, type Next } from '../runtime/call.ts';
import { isRetried, type RetryOptions } from '../runtime/call-options.ts';
import type { Clock } from '../runtime/clock.ts';
import { passed } from '../runtime/passed.ts';
import { retryDelayMs } from '../runtime/retry-delay.ts';

/**
 * Tries failed calls again, as their options say (extensions.md, section 1). Every attempt is a call of its own to what
 * is further in, numbered from 1. A call that fails in the end fails with its last error.
 */
export const retry = (clock: Clock, order = 20, random: () => number = Math.random): Interceptor => ({
  name: 'retry',
  order,
  wrap<In, Out>(next: Next<In, Out>, site: { options?: object }): Next<In, Out> {
    if (site.options === undefined) return next; // nobody can ask for it here

    /** Everything after the first failure. */
    const again = async (call: Call<In>, options: RetryOptions, failure: unknown): Promise<Out> => {
      let last = failure;
      for (let number = 2; number <= options.max_attempts && isRetried(options, last, call.context); number += 1) {
        await passed(clock, retryDelayMs(options, number, random), call.context.signal);
        try {
          return await attempt(next, call, number);
        } catch (error) {
          last = error;
        }
      }
      throw last;
    };

    return (call) => {
      const options = call.options?.retry;
      if (options === undefined) return next(call);
      let out: Out | Promise<Out>;
      try {
        out = attempt(next, call, 1);
      } catch (error) {
        return again(call, options, error);
      }
      return isPromise(out) ? out.catch((error: unknown) => again(call, options, error)) : out;
    };
  },
});

const attempt = <In, Out>(next: Next<In, Out>, call: Call<In>, number: number): Out | Promise<Out> => {
  const own: Call<In> = { input: call.input, context: call.context, options: call.options, attempt: number };
  try {
    return next(own);
  } finally {
    call.trace = own.trace; // for metrics, where their order puts them further out
  }
};

import { type Call, type Interceptor, isPromise, type Next, type OptionRecipe } from '../runtime/call.ts';
import type { Clock } from '../runtime/clock.ts';
import { CallError } from '../runtime/errors.ts';

/**
 * Ends calls that take longer than their options allow, each attempt by itself (extensions.md, section 1): the work is
 * told through the signal of its context, and the call fails with Timeout even when the work does not listen.
 */
export const timeout = (clock: Clock, order = 30): Interceptor => ({
  name: 'timeout',
  order,
  wrap<In, Out>(next: Next<In, Out>, site: { target: string; options?: OptionRecipe }): Next<In, Out> {
    if (site.options === undefined) return next; // nobody can ask for it here
    const { onTimeout } = site.options;

    return (call) => {
      const limit = call.options?.timeout;
      if (limit === undefined) return next(call);
      const watch = watched(call, clock, limit.ms, () => {
        onTimeout();
        return new CallError(`call timed out after ${limit.text}: ${site.target}`, { kind: 'Timeout' });
      });
      let out: Out | Promise<Out>;
      try {
        out = next(watch.call);
      } catch (error) {
        throw watch.end() ?? error;
      } finally {
        call.trace = watch.call.trace; // for metrics, where their order puts them further out
      }
      if (isPromise(out)) return watch.race(out);
      const late = watch.end();
      if (late !== undefined) throw late;
      return out;
    };
  },
});

interface Watch<In> {
  /** What is handed on: the same call under a signal of its own. */
  readonly call: Call<In>;
  /** Stops the watch; the error to fail with when the time was over by then, though no timer could run. */
  end(): CallError | undefined;
  race<Out>(work: Promise<Out>): Promise<Out>;
}

const watched = <In>(call: Call<In>, clock: Clock, ms: number, expire: () => CallError): Watch<In> => {
  const outer = call.context.signal;
  const own = new AbortController();
  const due = clock.now() + ms;
  let late: CallError | undefined;
  let giveUp: ((error: CallError) => void) | undefined;

  const onAbort = (): void => own.abort(outer.reason);
  if (outer.aborted) onAbort();
  else outer.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.after(ms, () => {
    late = expire();
    own.abort(late);
    // Work that listens ends first, with its span and its count. Other work is not waited for.
    clock.after(0, () => giveUp?.(late as CallError));
  });

  const end = (): CallError | undefined => {
    cancel();
    outer.removeEventListener('abort', onAbort);
    // A run that held the event loop is as late as one that waited. What was cancelled before is no timeout.
    if (late === undefined && !own.signal.aborted && clock.now() >= due) late = expire();
    return late;
  };
  return {
    call: { ...call, context: call.context.withSignal(own.signal) },
    end,
    race: (work) =>
      new Promise((resolve, reject) => {
        giveUp = (error) => {
          end();
          reject(error);
        };
        work.then(
          (value) => {
            const error = end();
            if (error === undefined) resolve(value);
            else reject(error);
          },
          (error: unknown) => reject(end() ?? error),
        );
      }),
  };
};

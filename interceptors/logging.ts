import { type Call, type CallOutcome, type Interceptor, isPromise, type LogRecipe } from '../runtime/call.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger, Subsystem } from '../runtime/logger.ts';

/**
 * The one line per request, message or event (telemetry.md, section 6), written when the call has ended: the fields of
 * the site, those of the outcome, `duration_ms` in steps of 0.1 ms, and the trace ids, as it runs inside tracing.
 * The recipe says the level; where that is off nothing more is built.
 */
export const logging = (logger: Logger, clock: Clock, order = 120): Interceptor => ({
  name: 'logging',
  order,
  wrap(next, site) {
    if (site.log === undefined) return next; // nothing to say, nothing to pay
    const write = lineWriter(site.log, logger, clock);
    return (call) => {
      const start = clock.now();
      let out: ReturnType<typeof next>;
      try {
        out = next(call);
      } catch (error) {
        write({ ok: false, error }, call, start);
        throw error;
      }
      if (!isPromise(out)) {
        write({ ok: true, value: out }, call, start);
        return out; // no promise, no closure
      }
      return out.then(
        (value) => {
          write({ ok: true, value }, call, start);
          return value;
        },
        (error: unknown) => {
          write({ ok: false, error }, call, start);
          throw error;
        },
      );
    };
  },
});

type LineWriter<In, Out> = (outcome: CallOutcome<Out>, call: Call<In>, start: number) => void;

const lineWriter = <In, Out>(recipe: LogRecipe<In, Out>, logger: Logger, clock: Clock): LineWriter<In, Out> => {
  // The fields of the site are serialised here, once.
  const lines = logger.subsystem(recipe.subsystem as Subsystem).child(recipe.fields);
  return (outcome, call, start) => {
    try {
      const line = recipe.line(outcome, call);
      if (line === undefined || !lines.enabled(line.level)) return;
      const duration_ms = Math.round((clock.now() - start) * 10) / 10;
      lines[line.level](recipe.message, { ...line.fields, duration_ms }, call.context);
    } catch (error) {
      // A defect of a recipe must not replace the outcome of a call that has already ended.
      lines.error('the line of a call could not be made', { error }, call.context);
    }
  };
};

import { type Call, type Interceptor, isPromise, type MetricRecipe } from '../runtime/call.ts';
import type { Clock } from '../runtime/clock.ts';
import type { BoundCounter, BoundHistogram, Collector } from '../runtime/metrics/collector.ts';
import { CALLBACK_ERRORS } from '../runtime/metrics/self-metrics.ts';
import { OTHER } from '../runtime/metrics/vocabulary.ts';
import { isSampled, type SpanIds, TRACE } from '../runtime/trace.ts';

/** Counts, times and tracks every call of a site, failed ones included (telemetry.md, section 1). */
export const metrics = (collector: Collector, clock: Clock, order: number): Interceptor => ({
  name: 'metrics',
  order,
  wrap(next, site) {
    if (site.metrics === undefined) return next; // nothing to measure, nothing to pay
    const exemplarOf = site.span === undefined ? enclosing : own;
    const series = bindSeries(collector, clock, site.metrics, exemplarOf); // labels become slots, once per site
    return (call) => {
      const start = series.begin();
      let out: ReturnType<typeof next>;
      try {
        out = next(call);
      } catch (error) {
        series.fail(error, call, start);
        throw error;
      }
      if (!isPromise(out)) {
        series.end(out, call, start);
        return out; // no promise, no closure
      }
      return out.then(
        (value) => {
          series.end(value, call, start);
          return value;
        },
        (error: unknown) => {
          series.fail(error, call, start);
          throw error;
        },
      );
    };
  },
});

/** The span whose ids are kept with what is counted; undefined for one that is not sampled. */
type ExemplarOf = (call: Call<unknown>) => SpanIds | undefined;
const own: ExemplarOf = ({ trace }) => trace;
/** A site without a span of its own (a store's) counts within somebody else's: the function's that uses it. */
const enclosing: ExemplarOf = ({ trace, context }) => {
  if (trace !== undefined) return trace;
  const around = context.get(TRACE);
  return around !== undefined && isSampled(around) ? around : undefined;
};

/** What one outcome of a site drives. */
interface OutcomeSeries {
  readonly calls: BoundCounter | undefined;
  readonly duration: BoundHistogram | undefined;
}

const bindSeries = <In, Out>(
  collector: Collector,
  clock: Clock,
  recipe: MetricRecipe<In, Out>,
  exemplarOf: ExemplarOf,
) => {
  const { outcome } = recipe;
  const calls = recipe.calls && collector.counter(recipe.calls);
  const duration = recipe.duration && collector.histogram(recipe.duration);
  const inFlight =
    recipe.inFlight && collector.upDownCounter(recipe.inFlight).bind(pick(recipe.labels, recipe.inFlight.labels));
  const starts = recipe.starts && collector.counter(recipe.starts).bind(pick(recipe.labels, recipe.starts.labels));
  const outcomes = new Map<string, OutcomeSeries>();
  // Calls mostly end as the one before did: its series are at hand without a look-up.
  let lastValue: string | undefined;
  let last: OutcomeSeries | undefined;

  const bindOutcome = (value: string): OutcomeSeries => {
    const labels = outcome === undefined ? recipe.labels : { ...recipe.labels, [outcome.label]: value };
    const bound = {
      calls: recipe.calls && calls?.bind(pick(labels, recipe.calls.labels)),
      duration: recipe.duration && duration?.bind(pick(labels, recipe.duration.labels)),
    };
    outcomes.set(value, bound);
    return bound;
  };

  const settle = (value: string, call: Call<In>, start: number): void => {
    let series = last;
    if (series === undefined || value !== lastValue) {
      series = outcomes.get(value) ?? bindOutcome(value);
      lastValue = value;
      last = series;
    }
    const exemplar = exemplarOf(call);
    series.duration?.observe((clock.now() - start) / 1000, exemplar);
    series.calls?.add(1, exemplar);
  };

  /** A recipe that fails to name an outcome must not fail the call: it is counted, and the outcome is `other`. */
  const unnamed = (): string => {
    const metric = `${collector.namespace}_${(recipe.calls ?? recipe.duration)?.name ?? 'unnamed'}`;
    collector.counter(CALLBACK_ERRORS).bind({ metric }).add(1);
    return OTHER;
  };
  const nameOf = (out: Out, call: Call<In>): string => {
    try {
      return outcome === undefined ? '' : outcome.of(out, call);
    } catch {
      return unnamed();
    }
  };
  const nameOfError = (error: unknown, call: Call<In>): string => {
    try {
      return outcome === undefined ? '' : outcome.ofError(error, call);
    } catch {
      return unnamed();
    }
  };

  return {
    begin(): number {
      starts?.add(1);
      inFlight?.add(1);
      return duration === undefined ? 0 : clock.now(); // what nobody times costs no reading
    },
    end(out: Out, call: Call<In>, start: number): void {
      inFlight?.add(-1); // first: nothing below can leave it behind
      settle(nameOf(out, call), call, start);
    },
    fail(error: unknown, call: Call<In>, start: number): void {
      inFlight?.add(-1);
      settle(nameOfError(error, call), call, start);
    },
  };
};

/** The labels that a metric lists; the collector says so when one of them has no value. */
const pick = (labels: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> => {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = labels[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
};

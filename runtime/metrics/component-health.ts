import type { Clock } from '../clock.ts';
import type { Health } from '../health.ts';
import type { BoundCounter, Collector } from './collector.ts';
import type { CounterSpec, GaugeSpec } from './instruments.ts';
import { COMPONENT_ERROR_KINDS, foldTo } from './vocabulary.ts';

const ERRORS: CounterSpec<'component' | 'kind'> = {
  name: 'component_errors_total',
  help: 'Failures of a component, by kind.',
  unit: '{error}',
  labels: ['component', 'kind'],
};
const DEGRADED: CounterSpec<'component'> = {
  name: 'component_degraded_seconds_total',
  help: 'Time a component could not do its work, the interval that has not ended yet included; 0 until it first happens.',
  unit: 's',
  labels: ['component'],
};
const LAST_ACTIVITY: GaugeSpec<'component'> = {
  name: 'component_last_activity_unix_seconds',
  help: 'When a component last did something, in seconds since the epoch; the time it was made until it first does.',
  unit: 's',
  labels: ['component'],
};
const RESTARTS: CounterSpec<'component'> = {
  name: 'component_restarts_total',
  help: 'How often a component was started again after a failure.',
  unit: '{restart}',
  labels: ['component'],
};

/** Adds up the time in a state. The open interval counts at once, so that one that never ends keeps rising (rule 18). */
const stopwatch = (clock: Clock) => {
  let closedMs = 0;
  let since: number | undefined;
  return {
    run(on: boolean): void {
      if (on === (since !== undefined)) return;
      if (since !== undefined) closedMs += clock.now() - since;
      since = on ? clock.now() : undefined;
    },
    seconds: (): number => (closedMs + (since === undefined ? 0 : clock.now() - since)) / 1000,
  };
};

/** The Health of each component by its name; asked twice for one, it gives the same. */
export const createHealth = (collector: Collector, clock: Clock): ((component: string) => Health) => {
  const errors = collector.counter(ERRORS);
  const lastActivity = collector.gauge(LAST_ACTIVITY);
  const restarts = collector.counter(RESTARTS);
  const made = new Map<string, Health>();

  const make = (component: string): Health => {
    const degraded = stopwatch(clock);
    collector.observe('counter', DEGRADED, { component }, degraded.seconds);
    const activity = lastActivity.bind({ component });
    const restarted = restarts.bind({ component });
    const errorsOf = new Map<string, BoundCounter>();
    const touch = (): void => activity.set(clock.wall() / 1000);
    touch();
    return {
      degraded: degraded.run,
      error(kind) {
        const folded = foldTo(COMPONENT_ERROR_KINDS, kind);
        let bound = errorsOf.get(folded);
        if (bound === undefined) {
          bound = errors.bind({ component, kind: folded });
          errorsOf.set(folded, bound);
        }
        bound.add(1);
      },
      activity: touch,
      restarted: () => restarted.add(1),
    };
  };

  return (component) => {
    let health = made.get(component);
    if (health === undefined) {
      health = make(component);
      made.set(component, health);
    }
    return health;
  };
};

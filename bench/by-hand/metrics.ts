import * as prom from 'prom-client';
import { DURATION_SECONDS } from '../../runtime/metrics/instruments.ts';

/** Ends a measurement that has begun. */
export type Settle = (outcome: string) => void;

interface Measured {
  /** Names of the metrics begin with it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The label that tells how it ended. */
  readonly outcome: string;
}

interface Outcome {
  readonly calls: prom.Counter.Internal;
  readonly duration: prom.Histogram.Internal<string>;
}

/** A counter, a histogram and a gauge with prom-client, children kept as its documentation advises for hot paths. */
export const measured = (registry: prom.Registry, { name, labels, outcome }: Measured): (() => Settle) => {
  const registers = [registry];
  const labelNames = [...Object.keys(labels), outcome];
  const calls = new prom.Counter({ name: `${name}_total`, help: 'Calls.', labelNames, registers });
  const duration = new prom.Histogram({
    name: `${name}_duration_seconds`,
    help: 'Time of calls.',
    labelNames,
    buckets: [...DURATION_SECONDS],
    registers,
  });
  const inFlight = new prom.Gauge({
    name: `${name}_in_flight`,
    help: 'Calls now.',
    labelNames: Object.keys(labels),
    registers,
  }).labels(labels);
  const children = new Map<string, Outcome>();
  const childrenOf = (value: string): Outcome => {
    let found = children.get(value);
    if (found === undefined) {
      const all = { ...labels, [outcome]: value };
      found = { calls: calls.labels(all), duration: duration.labels(all) };
      children.set(value, found);
    }
    return found;
  };
  return () => {
    inFlight.inc();
    const start = performance.now();
    return (value) => {
      inFlight.dec();
      const child = childrenOf(value);
      child.duration.observe((performance.now() - start) / 1000);
      child.calls.inc();
    };
  };
};

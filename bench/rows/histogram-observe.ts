import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as prom from 'prom-client';
import { systemClock } from '../../runtime/clock.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { DURATION_SECONDS } from '../../runtime/metrics/instruments.ts';
import { byTurns, nanoseconds } from '../measure.ts';
import { heldReader } from '../peers/held-reader.ts';
import type { Row } from '../row.ts';

const NAMES = ['method', 'route', 'status'] as const;
const LABELS = { method: 'GET', route: '/orders/{id}', status: '200' };
const HELP = 'Time of requests.';
const BOUNDARIES = [...DURATION_SECONDS];

/** Durations around a few milliseconds, as services have them; the same ones for every side. */
const DURATIONS = Float64Array.from({ length: 1024 }, (_, i) => 0.0005 * 1.7 ** ((i * 7) % 11));

/** Gives the durations one after the other, round and round. */
const durations = (): (() => number) => {
  let i = 0;
  return () => {
    i = (i + 1) & 1023;
    return DURATIONS[i] as number;
  };
};

/** A histogram whose labels are known, with the same boundaries on every side. */
export const histogramObserve: Row = {
  name: 'histogram.observe',
  unit: 'ns',
  better: 'lower',
  atLeast: { 'prom-client': 20, otel: 40 },
  measure() {
    const collector = createCollector({ namespace: 'bench', clock: systemClock() });
    const spec = { name: 'duration_seconds', help: HELP, unit: 's', labels: NAMES, boundaries: BOUNDARIES };
    const ours = collector.histogram(spec).bind(LABELS);

    const theirs = new prom.Histogram({
      name: 'duration_seconds',
      help: HELP,
      labelNames: NAMES,
      buckets: BOUNDARIES,
      registers: [],
    });
    const child = theirs.labels(LABELS);

    const provider = new MeterProvider({ readers: [heldReader()] });
    const advice = { explicitBucketBoundaries: BOUNDARIES };
    const histogram = provider.getMeter('bench').createHistogram('duration', { description: HELP, unit: 's', advice });

    const [a, b, c] = [durations(), durations(), durations()];
    return byTurns(
      {
        ours: nanoseconds(() => ours.observe(a())),
        'prom-client': nanoseconds(() => child.observe(b())),
        otel: nanoseconds(() => histogram.record(c(), LABELS)),
      },
      { rounds: 5 },
    );
  },
};

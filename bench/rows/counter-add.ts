import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as prom from 'prom-client';
import { systemClock } from '../../runtime/clock.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { byTurns, nanoseconds } from '../measure.ts';
import { heldReader } from '../peers/held-reader.ts';
import type { Row } from '../row.ts';

const NAMES = ['method', 'route', 'status'] as const;
const LABELS = { method: 'GET', route: '/orders/{id}', status: '200' };
const HELP = 'Requests.';

/** A counter whose labels are known: bound where the API can bind, a constant attribute object where it cannot. */
export const counterAdd: Row = {
  name: 'counter.add',
  unit: 'ns',
  better: 'lower',
  atLeast: { 'prom-client': 40, otel: 120 },
  measure() {
    const collector = createCollector({ namespace: 'bench', clock: systemClock() });
    const ours = collector.counter({ name: 'requests_total', help: HELP, unit: '1', labels: NAMES }).bind(LABELS);

    const theirs = new prom.Counter({ name: 'requests_total', help: HELP, labelNames: NAMES, registers: [] });
    const child = theirs.labels(LABELS);

    const provider = new MeterProvider({ readers: [heldReader()] });
    const counter = provider.getMeter('bench').createCounter('requests', { description: HELP });

    return byTurns(
      {
        ours: nanoseconds(() => ours.add(1)),
        'prom-client': nanoseconds(() => child.inc(1)),
        otel: nanoseconds(() => counter.add(1, LABELS)),
      },
      { rounds: 5 },
    );
  },
};

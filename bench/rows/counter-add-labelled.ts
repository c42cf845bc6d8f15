import * as prom from 'prom-client';
import { systemClock } from '../../runtime/clock.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { byTurns, nanoseconds } from '../measure.ts';
import type { Row } from '../row.ts';

const NAMES = ['tenant', 'route', 'status'] as const;
const SERIES = 1024;

/** A fresh object per call, as a caller that gets its labels from Lua or from a request makes one. */
const labelSource = (): (() => { tenant: string; route: string; status: string }) => {
  const tenants = Array.from({ length: 16 }, (_, i) => `tenant-${i}`);
  const routes = Array.from({ length: 16 }, (_, i) => `/orders/${i}/{id}`);
  const statuses = ['200', '201', '404', '500'];
  let i = 0;
  return () => {
    i = (i + 389) & (SERIES - 1); // every series in turn, none beside the one before
    return {
      tenant: tenants[i & 15] as string,
      route: routes[(i >> 4) & 15] as string,
      status: statuses[i >> 8] as string,
    };
  };
};

/** Labels passed at the call, over about 1,000 series. */
export const counterAddLabelled: Row = {
  name: 'counter.add.labelled',
  unit: 'ns',
  better: 'lower',
  atLeast: { 'prom-client': 5 },
  measure() {
    const collector = createCollector({ namespace: 'bench', clock: systemClock(), maxSeries: 2 * SERIES });
    const theirs = new prom.Counter({ name: 'orders_total', help: 'Orders.', labelNames: NAMES, registers: [] });
    const [a, b] = [labelSource(), labelSource()];
    return byTurns(
      {
        ours: nanoseconds(() => collector.dynamic.counterAdd('orders_total', 1, a())),
        'prom-client': nanoseconds(() => theirs.inc(b(), 1)),
      },
      { rounds: 5 },
    );
  },
};

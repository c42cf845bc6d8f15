import * as prom from 'prom-client';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { prometheusRenderer } from '../../services/prometheus/renderer.ts';
import { byTurns, milliseconds, type Reading } from '../measure.ts';
import { checkSamples } from '../peers/check-samples.ts';
import type { Row } from '../row.ts';

const NAMES = ['tenant', 'route', 'status'] as const;
const SERIES = 10_000;
const NAME = 'orders_total';
const LABELS = Array.from({ length: SERIES }, (_, i) => ({
  tenant: `tenant-${i % 50}`,
  route: `/orders/${Math.floor(i / 200)}/{id}`,
  status: String(200 + (Math.floor(i / 50) % 4)),
}));

/** Adds one on every second series, the other half the next time. */
const half = (add: (() => void)[]): (() => void) => {
  let time = 0;
  return () => {
    time += 1;
    for (let i = time & 1; i < SERIES; i += 2) add[i]?.();
  };
};

const ourSide = async (): Promise<Reading> => {
  const clock = systemClock();
  const collector = createCollector({ namespace: 'bench', clock, maxSeries: SERIES });
  const family = collector.counter({ name: NAME, help: 'Orders.', unit: '1', labels: NAMES });
  const series = LABELS.map((labels) => family.bind(labels));
  const renderer = prometheusRenderer({ collector, clock, logger: silentLogger });
  const change = half(series.map((one) => () => one.add(1)));
  const render = () => renderer.render({});
  change();
  change();
  checkSamples('ours', (await render()).body.toString(), `${NAME}{`, SERIES);
  return milliseconds(change, render, 3);
};

const promSide = async (): Promise<Reading> => {
  const registry = new prom.Registry();
  const family = new prom.Counter({ name: NAME, help: 'Orders.', labelNames: NAMES, registers: [registry] });
  const series = LABELS.map((labels) => family.labels(labels));
  const change = half(series.map((one) => () => one.inc(1)));
  const render = () => registry.metrics();
  change();
  change();
  checkSamples('prom-client', await render(), `${NAME}{`, SERIES);
  return milliseconds(change, render, 3);
};

/** A scrape of many counters: from the numbers to the whole text. */
export const renderCounters: Row = {
  name: 'render.counters',
  unit: 'ms',
  better: 'lower',
  atLeast: { 'prom-client': 6 },
  measure: async () => byTurns({ ours: await ourSide(), 'prom-client': await promSide() }, { rounds: 7, warmUps: 3 }),
};

import * as prom from 'prom-client';
import { systemClock } from '../../runtime/clock.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { answer } from './answer.ts';

const SERIES = 20_000;
const NAMES = ['tenant', 'route', 'status'] as const;

/** Values that repeat, as those of real labels do; every call makes its own texts, as requests do. */
const labelsOf = (i: number) => ({
  tenant: `tenant-${i % 100}`,
  route: `/orders/${Math.floor(i / 500)}/{id}`,
  status: String(200 + (Math.floor(i / 100) % 5)),
});

/** What makes all series; what it returns keeps them alive. Neither side keeps handles of its own. */
const SIDES: Readonly<Record<string, () => unknown>> = {
  ours() {
    const collector = createCollector({ namespace: 'bench', clock: systemClock(), maxSeries: SERIES });
    const family = collector.counter({ name: 'orders_total', help: 'Orders.', unit: '1', labels: NAMES });
    for (let i = 0; i < SERIES; i += 1) family.bind(labelsOf(i)).add(1);
    return collector;
  },
  'prom-client'() {
    const options = { name: 'orders_total', help: 'Orders.', labelNames: NAMES, registers: [new prom.Registry()] };
    const family = new prom.Counter(options);
    for (let i = 0; i < SERIES; i += 1) family.inc(labelsOf(i), 1);
    return options.registers;
  },
};

const used = (): number => {
  if (globalThis.gc === undefined) throw new Error('start it with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const make = SIDES[process.argv[2] ?? ''];
const kept: unknown[] = [];
answer(() => {
  if (make === undefined) throw new Error(`no side '${process.argv[2]}'`);
  const before = used();
  kept.push(make());
  return (used() - before) / SERIES;
});

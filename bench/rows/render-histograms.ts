import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as prom from 'prom-client';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createCollector } from '../../runtime/metrics/core.ts';
import { DURATION_SECONDS } from '../../runtime/metrics/instruments.ts';
import { prometheusRenderer } from '../../services/prometheus/renderer.ts';
import { byTurns, milliseconds, type Reading } from '../measure.ts';
import { checkSamples } from '../peers/check-samples.ts';
import type { Row } from '../row.ts';

const NAMES = ['route', 'status'] as const;
const SERIES = 1000;
const BOUNDARIES = DURATION_SECONDS.slice(0, 14);
const NAME = 'duration_seconds';
const HELP = 'Time of requests.';

const labelsOf = (i: number) => ({ route: `/orders/${Math.floor(i / 4)}/{id}`, status: String(200 + (i % 4)) });
const LABELS = Array.from({ length: SERIES }, (_, i) => labelsOf(i));

/** Observes once on every second series, another half each time. */
const half = (observe: ((value: number) => void)[]): (() => void) => {
  let time = 0;
  return () => {
    time += 1;
    for (let i = time & 1; i < SERIES; i += 2) observe[i]?.(0.0001 * (1 + ((i * 31 + time) % 5000)));
  };
};

const ourSide = async (): Promise<Reading> => {
  const clock = systemClock();
  const collector = createCollector({ namespace: 'bench', clock });
  const family = collector.histogram({ name: NAME, help: HELP, unit: 's', labels: NAMES, boundaries: BOUNDARIES });
  const series = LABELS.map((labels) => family.bind(labels));
  const renderer = prometheusRenderer({ collector, clock, logger: silentLogger });
  const change = half(series.map((one) => (value) => one.observe(value)));
  const render = () => renderer.render({});
  change();
  change();
  checkSamples('ours', (await render()).body.toString(), `${NAME}_bucket{`, SERIES * (BOUNDARIES.length + 1));
  return milliseconds(change, render);
};

const promSide = async (): Promise<Reading> => {
  const registry = new prom.Registry();
  const options = { name: NAME, help: HELP, labelNames: NAMES, buckets: [...BOUNDARIES], registers: [registry] };
  const family = new prom.Histogram(options);
  const series = LABELS.map((labels) => family.labels(labels));
  const change = half(series.map((one) => (value) => one.observe(value)));
  const render = () => registry.metrics();
  change();
  change();
  checkSamples('prom-client', await render(), `${NAME}_bucket{`, SERIES * (BOUNDARIES.length + 1));
  return milliseconds(change, render);
};

const exporterSide = async (): Promise<Reading> => {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meter = new MeterProvider({ readers: [exporter] }).getMeter('bench');
  const advice = { explicitBucketBoundaries: [...BOUNDARIES] };
  const family = meter.createHistogram(NAME, { description: HELP, unit: 's', advice });
  const serializer = new PrometheusSerializer();
  const change = half(LABELS.map((labels) => (value) => family.record(value, labels)));
  const render = async () => serializer.serialize((await exporter.collect()).resourceMetrics);
  change();
  change();
  checkSamples('exporter-prometheus', await render(), `${NAME}_bucket{`, SERIES * (BOUNDARIES.length + 1));
  return milliseconds(change, render);
};

/** A scrape of one busy family: from the numbers to the whole text. */
export const renderHistograms: Row = {
  name: 'render.histograms',
  unit: 'ms',
  better: 'lower',
  atLeast: { 'prom-client': 8, 'exporter-prometheus': 20 },
  measure: async () =>
    byTurns(
      { ours: await ourSide(), 'prom-client': await promSide(), 'exporter-prometheus': await exporterSide() },
      { rounds: 7, warmUps: 3 },
    ),
};

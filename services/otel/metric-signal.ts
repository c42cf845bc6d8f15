import type { Resource } from '@opentelemetry/resources';
import {
  ConsoleMetricExporter,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { pushMetricExporter } from './metric-export.ts';
import { metricProducer } from './metric-producer.ts';
import { metricDelivery } from './otlp-exporters.ts';
import { openTransport, reportInitError, type Signal, type SignalOptions } from './signal.ts';
import { type ThirdPartyMetrics, thirdPartyMetrics } from './third-party-metrics.ts';

export interface MetricSignal extends Signal {
  readonly thirdParty: ThirdPartyMetrics;
  /** Whether anything is pushed; `flush` has something to do. */
  readonly isPushing: boolean;
}

interface Push {
  readonly exporter: PushMetricExporter;
  readonly halt: () => void;
}

const otlpPush = (options: SignalOptions, filter: (metrics: ResourceMetrics) => ResourceMetrics): Push => {
  const { metrics, temporality } = options.settings;
  const { config, halt } = openTransport(options, metrics, 'v1/metrics', 1);
  const monitor = options.monitor('otlp_metrics');
  return {
    exporter: pushMetricExporter(metricDelivery(metrics, config), monitor, temporality, filter),
    halt() {
      monitor.close();
      halt();
    },
  };
};

/** Pushes the collector's numbers, and those of third parties beside them, at the configured interval. */
export const metricSignal = (options: SignalOptions, resource: Resource): MetricSignal => {
  const { settings, collector, version, logger } = options;
  const pushes: Push[] = [];
  // The filter needs the collection of third parties, which needs the readers, which need the exporters: bound late.
  const filter = (metrics: ResourceMetrics): ResourceMetrics => thirdParty.withoutOwned(metrics);
  for (const name of settings.metricExporters) {
    try {
      if (name === 'otlp') pushes.push(otlpPush(options, filter));
      else pushes.push({ exporter: new ConsoleMetricExporter(), halt: () => {} });
    } catch (error) {
      reportInitError(options, 'config', `metrics push (exporter ${name})`, error);
    }
  }
  const readers = pushes.map(
    ({ exporter }) =>
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: settings.metricIntervalMs,
        exportTimeoutMillis: settings.metricTimeoutMs,
        metricProducers: [metricProducer(collector, version, settings.temporality)],
      }),
  );
  const thirdParty = thirdPartyMetrics({ collector, resource, logger, readers });
  return {
    thirdParty,
    isPushing: pushes.length > 0,
    async flush() {
      await Promise.all(readers.map((reader) => reader.forceFlush()));
    },
    shutdown: () => thirdParty.provider.shutdown(),
    halt() {
      for (const push of pushes) push.halt();
    },
  };
};

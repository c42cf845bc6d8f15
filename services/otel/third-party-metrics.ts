import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type DataPoint,
  type IMetricReader,
  MeterProvider,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import { CALLBACK_ERRORS } from '../../runtime/metrics/self-metrics.ts';
import type { ForeignFamily } from '../prometheus/port.ts';
import { initErrors } from './instruments.ts';
import { forgetsOld } from './metric-export.ts';
import { isFinitePoint, nameOf, prometheusFamilies } from './prometheus-families.ts';
import { SCOPE_NAME } from './tracer.ts';

const finitePoints = (metric: MetricData): DataPoint<unknown>[] =>
  (metric.dataPoints as DataPoint<unknown>[]).filter(isFinitePoint);

/** `foo.bar` in bytes as `foo_bar_bytes_total`: what any Prometheus, and any dashboard for it, can read. */
const STRATEGY = 'UnderscoreEscapingWithSuffixes';

export interface ThirdPartyMetrics {
  /** For the API's global: what third parties record with it is read below. */
  readonly provider: MeterProvider;
  /** As a scrape shows them, `target_info` first; empty after the shutdown. Never rejects. */
  families(): Promise<readonly ForeignFamily[]>;
  /** Third parties' families whose name is ours are left out, and values that are no numbers. */
  withoutOwned(metrics: ResourceMetrics): ResourceMetrics;
}

export interface ThirdPartyMetricsOptions {
  readonly collector: Collector;
  readonly resource: Resource;
  readonly logger: Logger;
  /** Readers that push what third parties record. */
  readonly readers: readonly IMetricReader[];
}

export const thirdPartyMetrics = (options: ThirdPartyMetricsOptions): ThirdPartyMetrics => {
  const { collector, logger } = options;
  // It serves nothing itself: it is the reader that collects, cumulative and pulled.
  const reader = new PrometheusExporter({ preventServerStart: true });
  reader.selectAggregationTemporality = (instrument) =>
    forgetsOld(instrument) ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
  const provider = new MeterProvider({ resource: options.resource, readers: [reader, ...options.readers] });

  const refused = new Set<string>();
  const refuse = (name: string, why: string): void => {
    if (refused.has(name)) return;
    refused.add(name);
    collector.counter(initErrors).bind({ component: 'telemetry', reason: 'instrument' }).add(1);
    logger.warn(`third-party metric '${name}' is left out: ${why}`, { metric: name });
  };
  let isFailing = false;
  /** Callbacks that threw: the SDK leaves their series out, and does not say which they are. */
  const tellFailures = (errors: readonly unknown[]): void => {
    if (errors.length > 0) {
      collector.counter(CALLBACK_ERRORS).bind({ metric: 'third_party' }).add(errors.length);
      const error = errors.map(messageOf).join('; ');
      if (!isFailing) logger.warn('metrics of third parties could not all be read; those are left out', { error });
    }
    isFailing = errors.length > 0;
  };
  const isOwned = (metric: MetricData): boolean => {
    const { name } = nameOf(metric, STRATEGY);
    if (!collector.owns(name) && !collector.owns(metric.descriptor.name)) return false;
    refuse(name, 'a metric of that name exists');
    return true;
  };

  const foreign = (metrics: readonly MetricData[]): MetricData[] =>
    metrics
      .filter((metric) => !isOwned(metric))
      .map((metric) => ({ ...metric, dataPoints: finitePoints(metric) }) as MetricData)
      .filter((metric) => metric.dataPoints.length > 0);

  return {
    provider,
    async families() {
      try {
        const { resourceMetrics, errors } = await reader.collect();
        tellFailures(errors);
        return prometheusFamilies(resourceMetrics, { strategy: STRATEGY, isOwned: collector.owns, refuse });
      } catch (error) {
        logger.debug('third-party metrics were not read', { error: messageOf(error) }); // e.g. after the shutdown
        return [];
      }
    },
    withoutOwned: (metrics) => ({
      ...metrics,
      scopeMetrics: metrics.scopeMetrics
        .map((one) => (one.scope.name === SCOPE_NAME ? one : { ...one, metrics: foreign(one.metrics) }))
        .filter((one) => one.metrics.length > 0),
    }),
  };
};

import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import {
  type DataPoint,
  DataPointType,
  type IMetricReader,
  MeterProvider,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import { initErrors } from './instruments.ts';
import { SCOPE_NAME } from './tracer.ts';

/** What the serializer writes when there is nothing (exporter-prometheus 0.223). */
const NOTHING = '# no registered metrics';

const isCounter = (metric: MetricData): boolean => metric.dataPointType === DataPointType.SUM && metric.isMonotonic;

/** The name that exporter-prometheus gives a metric. */
const exportedName = (metric: MetricData): string => {
  const name = metric.descriptor.name.replace(/[^a-z0-9_]/gi, '_').replace(/_{2,}/g, '_');
  return isCounter(metric) && !name.endsWith('_total') ? `${name}_total` : name;
};

const isSameKind = (a: MetricData, b: MetricData): boolean =>
  a.dataPointType === b.dataPointType && isCounter(a) === isCounter(b);

/** NaN and infinite values stay here, whoever recorded them. */
const finitePoints = (metric: MetricData): DataPoint<unknown>[] =>
  (metric.dataPoints as DataPoint<unknown>[]).filter(
    ({ value }) => typeof value !== 'number' || Number.isFinite(value),
  );

/** The scope as labels (OpenTelemetry's Prometheus compatibility); no label for a version that is not given. */
const scopeLabels = (scope: ResourceMetrics['scopeMetrics'][number]['scope']): Record<string, string> =>
  scope.version === undefined || scope.version === ''
    ? { otel_scope_name: scope.name }
    : { otel_scope_name: scope.name, otel_scope_version: scope.version };

export interface ThirdPartyMetrics {
  /** For the API's global: what third parties record with it is read below. */
  readonly provider: MeterProvider;
  /** Prometheus text 0.0.4 without `target_info`; empty when there is nothing. Never rejects. */
  text(): Promise<string>;
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
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ resource: options.resource, readers: [reader, ...options.readers] });
  const serializer = new PrometheusSerializer('', false, undefined, true, true);

  const refused = new Set<string>();
  const refuse = (name: string, why: string): void => {
    if (refused.has(name)) return;
    refused.add(name);
    collector.counter(initErrors).bind({ component: 'telemetry', reason: 'instrument' }).add(1);
    logger.warn(`third-party metric '${name}' is left out: ${why}`, { metric: name });
  };
  const isOwned = (metric: MetricData): boolean => {
    const name = exportedName(metric);
    if (!collector.owns(name) && !collector.owns(metric.descriptor.name)) return false;
    refuse(name, 'a metric of that name exists');
    return true;
  };

  /** One family per name, whatever scope its points came from: a second `# TYPE` line would break the text. */
  const families = (metrics: ResourceMetrics): MetricData[] => {
    const byName = new Map<string, MetricData>();
    for (const { scope, metrics: ofScope } of metrics.scopeMetrics) {
      const labels = scopeLabels(scope);
      for (const metric of ofScope) {
        if (isOwned(metric)) continue;
        const dataPoints = finitePoints(metric).map((point) => ({
          ...point,
          attributes: { ...point.attributes, ...labels },
        }));
        const name = exportedName(metric);
        const known = byName.get(name);
        if (known === undefined) byName.set(name, { ...metric, dataPoints } as MetricData);
        else if (isSameKind(known, metric)) (known.dataPoints as unknown[]).push(...dataPoints);
        else refuse(name, 'another library uses that name for another kind');
      }
    }
    return [...byName.values()].filter((metric) => metric.dataPoints.length > 0);
  };

  const foreign = (metrics: readonly MetricData[]): MetricData[] =>
    metrics
      .filter((metric) => !isOwned(metric))
      .map((metric) => ({ ...metric, dataPoints: finitePoints(metric) }) as MetricData)
      .filter((metric) => metric.dataPoints.length > 0);

  return {
    provider,
    async text() {
      try {
        const { resourceMetrics, errors } = await reader.collect();
        if (errors.length > 0)
          logger.debug('third-party metrics: some failed', { error: errors.map(messageOf).join('; ') });
        const metrics = families(resourceMetrics);
        const scopeMetrics = [{ scope: { name: '' }, metrics }];
        const text = serializer.serialize({ resource: resourceMetrics.resource, scopeMetrics }).trimEnd();
        return text === '' || text === NOTHING ? '' : `${text}\n`;
      } catch (error) {
        logger.debug('third-party metrics were not read', { error: messageOf(error) }); // e.g. after the shutdown
        return '';
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

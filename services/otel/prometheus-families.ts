import { hrTimeToMilliseconds } from '@opentelemetry/core';
import {
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { sampleNames } from '../../runtime/metrics/names.ts';
import type { InstrumentKind, Series } from '../../runtime/metrics/snapshot.ts';
import type { ForeignFamily, TextFamily } from '../prometheus/port.ts';
import { type PrometheusName, prometheusLabels, prometheusName, type TranslationStrategy } from './prometheus-names.ts';

type Scope = ResourceMetrics['scopeMetrics'][number]['scope'];

export interface PrometheusFamiliesOptions {
  readonly strategy: TranslationStrategy;
  /** Whether a sample of this name is somebody else's. */
  readonly isOwned: (name: string) => boolean;
  /** Told about what is left out; may be told again. */
  readonly refuse: (name: string, why: string) => void;
}

const isCounter = (metric: MetricData): boolean => metric.dataPointType === DataPointType.SUM && metric.isMonotonic;

const nameKind = (metric: MetricData): 'counter' | 'gauge' | 'other' => {
  if (isCounter(metric)) return 'counter';
  return metric.dataPointType === DataPointType.GAUGE ? 'gauge' : 'other';
};

/** How a metric is called on `/metrics`. */
export const nameOf = (metric: MetricData, strategy: TranslationStrategy): PrometheusName => {
  const { name, unit } = metric.descriptor;
  return prometheusName({ name, unit, kind: nameKind(metric) }, strategy);
};

const kindOf = (metric: MetricData): InstrumentKind | undefined => {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
      return metric.isMonotonic ? 'counter' : 'upDownCounter';
    case DataPointType.GAUGE:
      return 'gauge';
    case DataPointType.HISTOGRAM:
      return 'histogram';
    default:
      return undefined; // exponential histograms are for protobuf alone
  }
};

/** The scope as labels, on every series; what is not given is no label. */
const scopeAttributes = ({ name, version, schemaUrl }: Scope): Record<string, unknown> => ({
  otel_scope_name: name,
  otel_scope_version: version ?? '',
  otel_scope_schema_url: schemaUrl ?? '',
});

const boundariesOf = (metric: MetricData): readonly number[] => {
  if (metric.dataPointType !== DataPointType.HISTOGRAM) return [];
  return (metric.dataPoints[0]?.value.buckets.boundaries ?? []).filter(Number.isFinite);
};

const TARGET_INFO = 'target_info';

/** The resource, once ("Resource Attributes"). */
const targetInfo = (attributes: Readonly<Record<string, unknown>>, strategy: TranslationStrategy): ForeignFamily => {
  const { names, values } = prometheusLabels(attributes, strategy);
  return {
    family: { name: TARGET_INFO, kind: 'info', help: 'Target metadata', unit: '', boundaries: [] },
    series: [
      {
        labelNames: names,
        labelValues: values,
        startTime: 0,
        version: 1,
        value: 1,
        bucketCounts: [],
        count: 0,
        exemplars: [],
      },
    ],
  };
};

/** NaN and infinite values stay here, whoever recorded them; a histogram that took one never gets rid of it. */
export const isFinitePoint = ({ value }: DataPoint<unknown>): boolean => {
  const number = typeof value === 'number' ? value : (value as { readonly sum?: number }).sum;
  return number === undefined || Number.isFinite(number);
};

interface Growing {
  readonly family: TextFamily;
  readonly series: Series[];
  /** The label sets that are there. */
  readonly seen: Set<string>;
}

/**
 * What the SDK collected as families for a scrape: one per name, whatever scopes its points came from (a second `# TYPE` line
 * would break the text). The first to use a name decides its kind; help and unit of the first are kept.
 */
export const prometheusFamilies = (
  { resource, scopeMetrics }: ResourceMetrics,
  { strategy, isOwned, refuse }: PrometheusFamiliesOptions,
): readonly ForeignFamily[] => {
  const families = new Map<string, Growing>();
  /** Which family has samples of a name. */
  const owners = new Map<string, string>([[TARGET_INFO, TARGET_INFO]]);

  const familyFor = (metric: MetricData): Growing | undefined => {
    const kind = kindOf(metric);
    const { name, unit } = nameOf(metric, strategy);
    const leaveOut = (why: string): undefined => void refuse(name, why);
    if (kind === undefined) return leaveOut('text formats have no exponential histograms');
    const samples = sampleNames(kind, name);
    const known = families.get(name);
    const boundaries = boundariesOf(metric);
    if (known !== undefined) {
      if (known.family.kind !== kind) return leaveOut('another library uses that name for another kind');
      return known;
    }
    if (samples.some(isOwned)) return leaveOut('a metric of that name exists');
    const other = samples.map((one) => owners.get(one)).find((one) => one !== undefined);
    if (other !== undefined) return leaveOut(`it has samples of the same name as '${other}'`);
    const help = metric.descriptor.description || `${metric.descriptor.name}, recorded with OpenTelemetry`;
    const made: Growing = { family: { name, kind, help, unit, boundaries }, series: [], seen: new Set() };
    for (const one of samples) owners.set(one, name);
    families.set(name, made);
    return made;
  };

  const add = ({ family, series, seen }: Growing, scope: Scope, point: DataPoint<number | Histogram>): void => {
    const { value, startTime, attributes } = point;
    const isHistogram = typeof value !== 'number';
    if (!isFinitePoint(point)) return isHistogram ? refuse(family.name, 'it recorded what is not finite') : undefined;
    const labels = prometheusLabels(
      { ...attributes, ...scopeAttributes(scope) },
      strategy,
      family.kind === 'histogram' ? 'le' : '',
    );
    const key = JSON.stringify([labels.names, labels.values]);
    if (seen.has(key)) return refuse(family.name, 'two of its series have the same labels; the first is shown');
    const hasBounds = !isHistogram || isSame(value.buckets.boundaries.filter(Number.isFinite), family.boundaries);
    if (!hasBounds) return refuse(family.name, 'two libraries use it with different boundaries; the first is shown');
    seen.add(key);
    series.push({
      labelNames: labels.names,
      labelValues: labels.values,
      startTime: hrTimeToMilliseconds(startTime),
      version: 1,
      value: isHistogram ? (value.sum ?? 0) : value,
      bucketCounts: isHistogram ? value.buckets.counts : [],
      count: isHistogram ? value.count : 0,
      exemplars: [],
    });
  };

  for (const { scope, metrics } of scopeMetrics) {
    for (const metric of metrics) {
      const family = familyFor(metric);
      if (family === undefined) continue;
      for (const point of metric.dataPoints as DataPoint<number | Histogram>[]) add(family, scope, point);
    }
  }
  const shown = [...families.values()].filter(({ series }) => series.length > 0);
  if (!isOwned(TARGET_INFO)) return [targetInfo(resource.attributes, strategy), ...shown];
  refuse(TARGET_INFO, 'a metric of that name exists');
  return shown;
};

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((bound, i) => bound === b[i]);

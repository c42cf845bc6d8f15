import { type AttributeValue, type HrTime, ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { toHrTime } from '../hr-time.ts';
import {
  type ExponentialPoint,
  exemplarsOf,
  type HistogramPoint,
  type NumberPoint,
  type PointWithExemplars,
  wireTemporality,
} from './metric-points.ts';

/** 64-bit numbers are texts in protobuf's JSON. */
const nanoseconds = ([seconds, rest]: HrTime): string => (BigInt(seconds) * 1_000_000_000n + BigInt(rest)).toString();

const anyValue = (value: AttributeValue | null | undefined): object => {
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return {};
  return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: double(value) };
};
/** JSON has no NaN and no infinity; protobuf's JSON writes their names. */
const double = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

const keyValues = (attributes: Resource['attributes'] | DataPoint<unknown>['attributes']): object[] =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => ({ key, value: anyValue(value as AttributeValue) }));

const exemplars = (point: PointWithExemplars<unknown>): object[] | undefined => {
  const all = exemplarsOf(point);
  if (all.length === 0) return undefined;
  return all.map(({ time, value, spanId, traceId }) => ({
    timeUnixNano: nanoseconds(toHrTime(time)),
    asDouble: value,
    spanId,
    traceId,
  }));
};

const shared = (point: PointWithExemplars<unknown>) => ({
  attributes: keyValues(point.attributes),
  startTimeUnixNano: nanoseconds(point.startTime),
  timeUnixNano: nanoseconds(point.endTime),
  exemplars: exemplars(point),
});
const numberPoint = (point: NumberPoint, type: ValueType): object => ({
  ...shared(point),
  ...(type === ValueType.INT && Number.isSafeInteger(point.value)
    ? { asInt: String(point.value) }
    : { asDouble: double(point.value) }),
});
const histogramPoint = (point: HistogramPoint): object => ({
  ...shared(point),
  count: String(point.value.count),
  sum: point.value.sum,
  min: point.value.min,
  max: point.value.max,
  bucketCounts: point.value.buckets.counts.map(String),
  explicitBounds: point.value.buckets.boundaries,
});
const buckets = ({ offset, bucketCounts }: ExponentialHistogram['positive']): object => ({
  offset,
  bucketCounts: bucketCounts.map(String),
});
const exponentialPoint = (point: ExponentialPoint): object => ({
  ...shared(point),
  count: String(point.value.count),
  sum: point.value.sum,
  min: point.value.min,
  max: point.value.max,
  scale: point.value.scale,
  zeroCount: String(point.value.zeroCount),
  positive: buckets(point.value.positive),
  negative: buckets(point.value.negative),
});

const data = (metric: MetricData): object => {
  const aggregationTemporality = wireTemporality(metric);
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM:
      return { histogram: { aggregationTemporality, dataPoints: metric.dataPoints.map(histogramPoint) } };
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return { exponentialHistogram: { aggregationTemporality, dataPoints: metric.dataPoints.map(exponentialPoint) } };
    default: {
      const dataPoints = metric.dataPoints.map((point) => numberPoint(point, metric.descriptor.valueType));
      if (metric.dataPointType === DataPointType.GAUGE) return { gauge: { dataPoints } };
      return { sum: { aggregationTemporality, isMonotonic: metric.isMonotonic, dataPoints } };
    }
  }
};

/** An export of metrics as OTLP/JSON, exemplars included: the SDK's serializer leaves them out. */
export const jsonMetrics = ({ resource, scopeMetrics }: ResourceMetrics): Uint8Array => {
  const request = {
    resourceMetrics: [
      {
        resource: { attributes: keyValues(resource.attributes) },
        schemaUrl: resource.schemaUrl,
        scopeMetrics: scopeMetrics.map(({ scope, metrics }) => ({
          scope: { name: scope.name, version: scope.version },
          schemaUrl: scope.schemaUrl,
          metrics: metrics.map((metric) => ({
            name: metric.descriptor.name,
            description: metric.descriptor.description,
            unit: metric.descriptor.unit,
            ...data(metric),
          })),
        })),
      },
    ],
  };
  return Buffer.from(JSON.stringify(request));
};

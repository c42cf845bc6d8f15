import { ValueType } from '@opentelemetry/api';
import {
  DataPointType,
  type ExponentialHistogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { toHrTime } from '../hr-time.ts';
import { attributeFields } from './attribute-fields.ts';
import {
  type ExponentialPoint,
  exemplarsOf,
  type HistogramPoint,
  type NumberPoint,
  type PointWithExemplars,
  wireTemporality,
} from './metric-points.ts';
import { originFields } from './origin-fields.ts';
import { BYTES, FIXED64, ProtobufWriter, VARINT } from './protobuf-writer.ts';

const bytes = (field: number): number => (field << 3) | BYTES;
const fixed64 = (field: number): number => (field << 3) | FIXED64;
const varint = (field: number): number => (field << 3) | VARINT;

// opentelemetry/proto/metrics/v1/metrics.proto, by message
const RESOURCE_METRICS = bytes(1);
const SCOPE_METRICS = bytes(2);
const METRICS = bytes(2);
const METRIC = { name: bytes(1), description: bytes(2), unit: bytes(3) };
const DATA: Readonly<Record<DataPointType, number>> = {
  [DataPointType.GAUGE]: bytes(5),
  [DataPointType.SUM]: bytes(7),
  [DataPointType.HISTOGRAM]: bytes(9),
  [DataPointType.EXPONENTIAL_HISTOGRAM]: bytes(10),
};
const DATA_POINTS = bytes(1);
const TEMPORALITY = varint(2);
const IS_MONOTONIC = varint(3);
/** The same in all points. */
const START_TIME = fixed64(2);
const TIME = fixed64(3);
const NUMBER = { asDouble: fixed64(4), exemplars: bytes(5), asInt: fixed64(6), attributes: bytes(7) };
const COUNT = fixed64(4);
const SUM = fixed64(5);
const HISTOGRAM = {
  bucketCounts: bytes(6),
  bounds: bytes(7),
  exemplars: bytes(8),
  attributes: bytes(9),
  min: fixed64(11),
  max: fixed64(12),
};
const EXPONENTIAL = {
  attributes: bytes(1),
  scale: varint(6),
  zeroCount: fixed64(7),
  positive: bytes(8),
  negative: bytes(9),
  exemplars: bytes(11),
  min: fixed64(12),
  max: fixed64(13),
};
const BUCKETS = { offset: varint(1), counts: bytes(2) };
const EXEMPLAR = { time: fixed64(2), asDouble: fixed64(3), spanId: bytes(4), traceId: bytes(5) };

/** Writes an export of metrics as `ExportMetricsServiceRequest`, exemplars included: the SDK's serializer leaves them out. */
export const protobufMetrics = (): ((metrics: ResourceMetrics) => Uint8Array) => {
  const fields = attributeFields();
  const origin = originFields(fields);
  const writer = new ProtobufWriter();

  const tag = (value: number): void => {
    writer.reserve(1);
    writer.byte(value);
  };
  const double = (field: number, value: number | undefined): void => {
    if (value === undefined) return;
    tag(field);
    writer.double(value);
  };
  const count = (field: number, value: number): void => {
    tag(field);
    writer.fixed64(value);
  };
  const packed = <T>(field: number, values: readonly T[], write: (value: T) => void): void => {
    if (values.length === 0) return;
    const from = writer.begin(field);
    for (const value of values) write(value);
    writer.end(from);
  };

  const times = (point: PointWithExemplars<unknown>): void => {
    tag(START_TIME);
    writer.time(point.startTime);
    tag(TIME);
    writer.time(point.endTime);
  };
  const exemplars = (field: number, point: PointWithExemplars<unknown>): void => {
    for (const exemplar of exemplarsOf(point)) {
      const from = writer.begin(field);
      tag(EXEMPLAR.time);
      writer.time(toHrTime(exemplar.time));
      double(EXEMPLAR.asDouble, exemplar.value);
      writer.hex(EXEMPLAR.spanId, exemplar.spanId);
      writer.hex(EXEMPLAR.traceId, exemplar.traceId);
      writer.end(from);
    }
  };

  const numberPoint = (point: NumberPoint, type: ValueType): void => {
    times(point);
    if (type === ValueType.INT && Number.isSafeInteger(point.value)) {
      tag(NUMBER.asInt);
      writer.sfixed64(point.value);
    } else double(NUMBER.asDouble, point.value);
    exemplars(NUMBER.exemplars, point);
    fields.all(writer, NUMBER.attributes, point.attributes);
  };
  const histogramPoint = (point: HistogramPoint): void => {
    const { buckets, count: total, sum, min, max } = point.value;
    times(point);
    count(COUNT, total);
    double(SUM, sum);
    packed(HISTOGRAM.bucketCounts, buckets.counts, (value) => writer.fixed64(value));
    packed(HISTOGRAM.bounds, buckets.boundaries, (value) => writer.double(value));
    exemplars(HISTOGRAM.exemplars, point);
    fields.all(writer, HISTOGRAM.attributes, point.attributes);
    double(HISTOGRAM.min, min);
    double(HISTOGRAM.max, max);
  };
  const exponentialBuckets = (field: number, buckets: ExponentialHistogram['positive']): void => {
    const from = writer.begin(field);
    tag(BUCKETS.offset);
    writer.sint32(buckets.offset);
    packed(BUCKETS.counts, buckets.bucketCounts, (value) => writer.varint(value));
    writer.end(from);
  };
  const exponentialPoint = (point: ExponentialPoint): void => {
    const { value } = point;
    fields.all(writer, EXPONENTIAL.attributes, point.attributes);
    times(point);
    count(COUNT, value.count);
    double(SUM, value.sum);
    tag(EXPONENTIAL.scale);
    writer.sint32(value.scale);
    count(EXPONENTIAL.zeroCount, value.zeroCount);
    exponentialBuckets(EXPONENTIAL.positive, value.positive);
    exponentialBuckets(EXPONENTIAL.negative, value.negative);
    exemplars(EXPONENTIAL.exemplars, point);
    double(EXPONENTIAL.min, value.min);
    double(EXPONENTIAL.max, value.max);
  };

  const points = <T>(all: readonly T[], write: (point: T) => void): void => {
    for (const point of all) {
      const from = writer.begin(DATA_POINTS);
      write(point);
      writer.end(from);
    }
  };
  const metric = (one: MetricData): void => {
    const from = writer.begin(METRICS);
    const { name, description, unit, valueType } = one.descriptor;
    writer.text(METRIC.name, name);
    if (description !== '') writer.text(METRIC.description, description);
    if (unit !== '') writer.text(METRIC.unit, unit);
    const data = writer.begin(DATA[one.dataPointType]);
    switch (one.dataPointType) {
      case DataPointType.HISTOGRAM:
        points(one.dataPoints, histogramPoint);
        break;
      case DataPointType.EXPONENTIAL_HISTOGRAM:
        points(one.dataPoints, exponentialPoint);
        break;
      default:
        points(one.dataPoints, (point) => numberPoint(point, valueType));
    }
    if (one.dataPointType !== DataPointType.GAUGE) {
      tag(TEMPORALITY);
      writer.varint(wireTemporality(one));
    }
    if (one.dataPointType === DataPointType.SUM && one.isMonotonic) {
      tag(IS_MONOTONIC);
      writer.varint(1);
    }
    writer.end(data);
    writer.end(from);
  };

  return ({ resource, scopeMetrics }) => {
    writer.at = 0; // also after an export that failed half way
    const all = writer.begin(RESOURCE_METRICS);
    const from = origin.resource(resource);
    writer.raw(from.head);
    for (const { scope, metrics } of scopeMetrics) {
      const start = writer.begin(SCOPE_METRICS);
      const ofScope = origin.scope(scope);
      writer.raw(ofScope.head);
      for (const one of metrics) metric(one);
      writer.raw(ofScope.tail);
      writer.end(start);
    }
    writer.raw(from.tail);
    writer.end(all);
    return writer.take();
  };
};

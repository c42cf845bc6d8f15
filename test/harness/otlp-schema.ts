import type { Field, Message } from './protobuf.ts';

/** The fields of opentelemetry-proto v1 that the tests look at, under their names in OTLP/JSON. */
const one = (name: string, type: Field['type']): Field => ({ name, type });
const many = (name: string, type: Field['type']): Field => ({ name, type, isRepeated: true });

const anyValue: Record<number, Field> = {
  1: one('stringValue', 'string'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
};
const keyValue: Message = { 1: one('key', 'string'), 2: one('value', anyValue) };
anyValue[5] = one('arrayValue', { 1: many('values', anyValue) });
anyValue[6] = one('kvlistValue', { 1: many('values', keyValue) });

const resource: Message = { 1: many('attributes', keyValue) };
const scope: Message = { 1: one('name', 'string'), 2: one('version', 'string') };
const event: Message = { 1: one('timeUnixNano', 'fixed64'), 2: one('name', 'string'), 3: many('attributes', keyValue) };
const link: Message = {
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  3: one('traceState', 'string'),
  4: many('attributes', keyValue),
};
const span: Message = {
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  3: one('traceState', 'string'),
  4: one('parentSpanId', 'hex'),
  5: one('name', 'string'),
  6: one('kind', 'uint'),
  7: one('startTimeUnixNano', 'fixed64'),
  8: one('endTimeUnixNano', 'fixed64'),
  9: many('attributes', keyValue),
  11: many('events', event),
  13: many('links', link),
  15: one('status', { 2: one('message', 'string'), 3: one('code', 'uint') }),
};
export const traceRequest: Message = {
  1: many('resourceSpans', {
    1: one('resource', resource),
    2: many('scopeSpans', { 1: one('scope', scope), 2: many('spans', span) }),
  }),
};

const exemplar: Message = {
  2: one('timeUnixNano', 'fixed64'),
  3: one('asDouble', 'double'),
  4: one('spanId', 'hex'),
  5: one('traceId', 'hex'),
};
const numberPoint: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('asDouble', 'double'),
  5: many('exemplars', exemplar),
  6: one('asInt', 'int64'),
  7: many('attributes', keyValue),
};
const histogramPoint: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: many('bucketCounts', 'fixed64'),
  7: many('explicitBounds', 'double'),
  8: many('exemplars', exemplar),
  9: many('attributes', keyValue),
  11: one('min', 'double'),
  12: one('max', 'double'),
};
const exponentialPoint: Message = {
  1: many('attributes', keyValue),
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: one('scale', 'sint32'),
  7: one('zeroCount', 'fixed64'),
  8: one('positive', { 1: one('offset', 'sint32'), 2: many('bucketCounts', 'uint') }),
  11: many('exemplars', exemplar),
};
const metric: Message = {
  1: one('name', 'string'),
  2: one('description', 'string'),
  3: one('unit', 'string'),
  5: one('gauge', { 1: many('dataPoints', numberPoint) }),
  7: one('sum', {
    1: many('dataPoints', numberPoint),
    2: one('aggregationTemporality', 'uint'),
    3: one('isMonotonic', 'bool'),
  }),
  9: one('histogram', { 1: many('dataPoints', histogramPoint), 2: one('aggregationTemporality', 'uint') }),
  10: one('exponentialHistogram', {
    1: many('dataPoints', exponentialPoint),
    2: one('aggregationTemporality', 'uint'),
  }),
};
export const metricsRequest: Message = {
  1: many('resourceMetrics', {
    1: one('resource', resource),
    2: many('scopeMetrics', { 1: one('scope', scope), 2: many('metrics', metric) }),
  }),
};

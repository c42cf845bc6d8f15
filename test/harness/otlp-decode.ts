import type { SpanKind } from '../../runtime/trace.ts';
import { metricsRequest, traceRequest } from './otlp-schema.ts';
import { type Decoded, decodeMessage } from './protobuf.ts';

export type CollectedAttributes = Readonly<Record<string, unknown>>;
export interface Origin {
  readonly resource: CollectedAttributes;
  readonly scope: { readonly name: string; readonly version: string };
}
/** A span as a collector got it. Times in milliseconds since the epoch; `parentSpanId` is empty for a root. */
export interface CollectedSpan extends Origin {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: CollectedAttributes;
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
  readonly events: readonly { name: string; timeMs: number; attributes: CollectedAttributes }[];
  readonly links: readonly { traceId: string; spanId: string; attributes: CollectedAttributes }[];
  readonly startMs: number;
  readonly endMs: number;
}
/** One point of a metric. `value` is the sum for histograms. */
export interface CollectedPoint extends Origin {
  readonly name: string;
  readonly kind: 'sum' | 'gauge' | 'histogram' | 'exponentialHistogram';
  readonly unit: string;
  readonly description: string;
  readonly isMonotonic: boolean;
  readonly temporality: 'unspecified' | 'delta' | 'cumulative';
  readonly attributes: CollectedAttributes;
  readonly value: number;
  readonly count: number;
  readonly bucketCounts: readonly number[];
  readonly boundaries: readonly number[];
  readonly min: number | undefined;
  readonly exemplars: readonly { traceId: string; spanId: string; value: number; timeMs: number }[];
  /** Exponential histograms. */
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: { readonly offset: number; readonly counts: readonly number[] };
  readonly startMs: number;
  readonly timeMs: number;
}

const KINDS: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = ['unset', 'ok', 'error'] as const;
const TEMPORALITIES = ['unspecified', 'delta', 'cumulative'] as const;

const list = (value: unknown): readonly Decoded[] => (value ?? []) as readonly Decoded[];
const object = (value: unknown): Decoded => (value ?? {}) as Decoded;
const text = (value: unknown): string => (value ?? '') as string;
const milliseconds = (nanos: unknown): number => Number(BigInt((nanos ?? 0) as string | number | bigint)) / 1e6;

const anyValue = (value: Decoded): unknown => {
  if ('intValue' in value) return Number(value.intValue);
  if ('arrayValue' in value) return list(object(value.arrayValue).values).map(anyValue);
  if ('kvlistValue' in value) return attributes(object(value.kvlistValue).values);
  return Object.values(value)[0];
};
const attributes = (pairs: unknown): CollectedAttributes =>
  Object.fromEntries(list(pairs).map((pair) => [text(pair.key), anyValue(object(pair.value))]));

/** Each item below a resource and a scope, with both. */
const flatten = function* (request: Decoded, of: string, scopes: string, items: string): Generator<[Decoded, Origin]> {
  for (const group of list(request[of])) {
    const resource = attributes(object(group.resource).attributes);
    for (const inScope of list(group[scopes])) {
      const { name, version } = object(inScope.scope);
      for (const item of list(inScope[items]))
        yield [item, { resource, scope: { name: text(name), version: text(version) } }];
    }
  }
};

const isJson = (contentType: string): boolean => contentType.includes('json');

/** @throws Error on a body that is not what its content type says. */
export const decodeSpans = (body: Buffer, contentType: string): readonly CollectedSpan[] => {
  const request = isJson(contentType) ? JSON.parse(body.toString()) : decodeMessage(body, traceRequest);
  return [...flatten(request, 'resourceSpans', 'scopeSpans', 'spans')].map(([span, origin]) => {
    const status = object(span.status);
    return {
      ...origin,
      traceId: text(span.traceId),
      spanId: text(span.spanId),
      parentSpanId: text(span.parentSpanId),
      traceState: text(span.traceState),
      name: text(span.name),
      kind: KINDS[Number(span.kind ?? 0)] ?? 'internal',
      attributes: attributes(span.attributes),
      status: STATUSES[Number(status.code ?? 0)] ?? 'unset',
      statusMessage: text(status.message),
      events: list(span.events).map((event) => ({
        name: text(event.name),
        timeMs: milliseconds(event.timeUnixNano),
        attributes: attributes(event.attributes),
      })),
      links: list(span.links).map((link) => ({
        traceId: text(link.traceId),
        spanId: text(link.spanId),
        attributes: attributes(link.attributes),
      })),
      startMs: milliseconds(span.startTimeUnixNano),
      endMs: milliseconds(span.endTimeUnixNano),
    };
  });
};

/** @throws Error on a body that is not what its content type says. */
export const decodePoints = (body: Buffer, contentType: string): readonly CollectedPoint[] => {
  const request = isJson(contentType) ? JSON.parse(body.toString()) : decodeMessage(body, metricsRequest);
  return [...flatten(request, 'resourceMetrics', 'scopeMetrics', 'metrics')].flatMap(([metric, origin]) => {
    const kind = (['histogram', 'exponentialHistogram', 'sum'] as const).find((one) => one in metric) ?? 'gauge';
    const data = object(metric[kind]);
    return list(data.dataPoints).map((point) => ({
      ...origin,
      name: text(metric.name),
      kind,
      unit: text(metric.unit),
      description: text(metric.description),
      isMonotonic: data.isMonotonic === true,
      temporality: TEMPORALITIES[Number(data.aggregationTemporality ?? 0)] ?? 'unspecified',
      attributes: attributes(point.attributes),
      value: Number(point.asDouble ?? point.asInt ?? point.sum ?? 0),
      count: Number(point.count ?? 0),
      bucketCounts: list(point.bucketCounts).map(Number),
      boundaries: list(point.explicitBounds).map(Number),
      min: point.min === undefined ? undefined : Number(point.min),
      exemplars: list(point.exemplars).map((exemplar) => ({
        traceId: text(exemplar.traceId),
        spanId: text(exemplar.spanId),
        value: Number(exemplar.asDouble),
        timeMs: milliseconds(exemplar.timeUnixNano),
      })),
      scale: Number(point.scale ?? 0),
      zeroCount: Number(point.zeroCount ?? 0),
      positive: {
        offset: Number(object(point.positive).offset ?? 0),
        counts: list(object(point.positive).bucketCounts).map(Number),
      },
      startMs: milliseconds(point.startTimeUnixNano),
      timeMs: milliseconds(point.timeUnixNano),
    }));
  });
};

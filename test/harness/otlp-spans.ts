/** Spans as tests want to read them, from OTLP's JSON (what Jaeger's API v3 answers and what `http/json` sends). */

export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export type ReadKind = (typeof SPAN_KINDS)[number];
const STATUSES = ['unset', 'ok', 'error'] as const;

export type ReadValue = string | number | boolean | readonly ReadValue[];
export type ReadAttributes = Readonly<Record<string, ReadValue>>;
export interface ReadSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for a root. */
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: ReadKind;
  readonly status: (typeof STATUSES)[number];
  readonly attributes: ReadAttributes;
  readonly events: readonly { readonly name: string; readonly attributes: ReadAttributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly resource: ReadAttributes;
  readonly scope: string;
}

interface JsonValue {
  stringValue?: string;
  intValue?: string | number;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values?: JsonValue[] };
}
type JsonAttributes = readonly { key: string; value: JsonValue }[] | undefined;
interface JsonSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind?: number | string;
  attributes?: JsonAttributes;
  events?: { name?: string; attributes?: JsonAttributes }[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number | string };
}
export interface JsonTraces {
  resourceSpans?: {
    resource?: { attributes?: JsonAttributes };
    scopeSpans?: { scope?: { name?: string }; spans?: JsonSpan[] }[];
  }[];
}

const readValue = (value: JsonValue): ReadValue => {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(readValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? '';
};
const attributesOf = (list: JsonAttributes): ReadAttributes =>
  Object.fromEntries((list ?? []).map(({ key, value }) => [key, readValue(value)]));

/** Protobuf's JSON writes an enum as its number or as its full name (`SPAN_KIND_SERVER`). */
const enumOf = <T extends string>(names: readonly T[], value: number | string | undefined, prefix: string): T => {
  const index = typeof value === 'string' ? names.indexOf(value.slice(prefix.length).toLowerCase() as T) : (value ?? 0);
  const name = names[index];
  if (name === undefined) throw new Error(`'${value}' is none of ${names.join(', ')}`);
  return name;
};

export const spansFromJson = (traces: JsonTraces): ReadSpan[] =>
  (traces.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans ?? []).flatMap(({ scope, spans }) =>
      (spans ?? []).map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: span.parentSpanId === undefined || span.parentSpanId === '' ? undefined : span.parentSpanId,
        name: span.name,
        kind: enumOf(SPAN_KINDS, span.kind, 'SPAN_KIND_'),
        status: enumOf(STATUSES, span.status?.code, 'STATUS_CODE_'),
        attributes: attributesOf(span.attributes),
        events: (span.events ?? []).map((event) => ({
          name: event.name ?? '',
          attributes: attributesOf(event.attributes),
        })),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        resource: attributesOf(resource?.attributes),
        scope: scope?.name ?? '',
      })),
    ),
  );

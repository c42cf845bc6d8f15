import { type Link, type SpanContext, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace-base';
import type { TraceContext } from '../../../runtime/trace.ts';
import { SpanPosition } from '../span-position.ts';
import type { AttributeFields } from './attribute-fields.ts';
import { type AttributeRun, attributeRun } from './attribute-run.ts';
import { BYTES, FIXED32, FIXED64, ProtobufWriter, VARINT } from './protobuf-writer.ts';

// opentelemetry/proto/trace/v1/trace.proto
const TRACE_ID = (1 << 3) | BYTES;
const SPAN_ID = (2 << 3) | BYTES;
const TRACE_STATE = (3 << 3) | BYTES;
const PARENT_SPAN_ID = (4 << 3) | BYTES;
const NAME = (5 << 3) | BYTES;
const KIND = (6 << 3) | VARINT;
const START_TIME = (7 << 3) | FIXED64;
const END_TIME = (8 << 3) | FIXED64;
const ATTRIBUTES = (9 << 3) | BYTES;
const DROPPED_ATTRIBUTES = (10 << 3) | VARINT;
const EVENTS = (11 << 3) | BYTES;
const DROPPED_EVENTS = (12 << 3) | VARINT;
const LINKS = (13 << 3) | BYTES;
const DROPPED_LINKS = (14 << 3) | VARINT;
const STATUS = (15 << 3) | BYTES;
const EVENT_TIME = (1 << 3) | FIXED64;
const EVENT_NAME = (2 << 3) | BYTES;
const EVENT_ATTRIBUTES = (3 << 3) | BYTES;
const EVENT_DROPPED = (4 << 3) | VARINT;
const LINK_ATTRIBUTES = (4 << 3) | BYTES;
const LINK_DROPPED = (5 << 3) | VARINT;
const LINK_FLAGS = (6 << 3) | FIXED32;
const STATUS_MESSAGE = (2 << 3) | BYTES;
const STATUS_CODE = (3 << 3) | VARINT;
/** Field 16: the only tag that takes two bytes. */
const FLAGS_LOW = 0x80 | (((16 << 3) | FIXED32) & 0x7f);
const FLAGS_HIGH = 1;

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** The W3C flags of a span, and whether its parent (of a link: its target) is in another process. */
const flagsOf = (traceFlags: number, isRemote: boolean | undefined): number =>
  (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0);

/** A place that spans come from, again and again: what they have in common is encoded once. */
export interface SpanSource {
  readonly name: string;
  readonly kind: number;
  /** Kept by the encoder. */
  encoded?: SourceBytes;
}
interface SourceBytes {
  readonly by: AttributeFields;
  /** Fields 5 and 6. */
  readonly head: Uint8Array;
  readonly attributes: AttributeRun;
}

/** What is known of a span that was made here beside what the SDK knows. */
export interface KnownSpan {
  readonly source: SpanSource;
  readonly trace: TraceContext;
  readonly parent: TraceContext | undefined;
}
/** Where a span of the SDK carries it. */
export const KNOWN: unique symbol = Symbol('perilune span');
export interface WithKnown {
  [KNOWN]?: KnownSpan;
}

const head = (writer: ProtobufWriter, name: string, kind: number): void => {
  writer.text(NAME, name);
  writer.reserve(2);
  writer.byte(KIND);
  writer.byte(kind + 1); // the API's kinds begin at 0, the wire's at 1
};

const sourceBytes = ({ name, kind }: SpanSource, fields: AttributeFields): SourceBytes => {
  const writer = new ProtobufWriter(256);
  head(writer, name, kind);
  return { by: fields, head: writer.take(), attributes: attributeRun(fields) };
};

const count = (writer: ProtobufWriter, tag: number, value: number | undefined): void => {
  if (value === undefined || value === 0) return;
  writer.reserve(1);
  writer.byte(tag);
  writer.varint(value);
};

const ids = (writer: ProtobufWriter, context: SpanContext, position?: TraceContext): void => {
  if (position instanceof SpanPosition) {
    writer.words(TRACE_ID, position.traceWords);
    writer.words(SPAN_ID, position.spanWords);
  } else {
    writer.hex(TRACE_ID, context.traceId);
    writer.hex(SPAN_ID, context.spanId);
  }
  const state = context.traceState?.serialize();
  if (state !== undefined && state !== '') writer.text(TRACE_STATE, state);
};

const event = (writer: ProtobufWriter, fields: AttributeFields, one: TimedEvent): void => {
  const from = writer.begin(EVENTS);
  writer.reserve(1);
  writer.byte(EVENT_TIME);
  writer.time(one.time);
  writer.text(EVENT_NAME, one.name);
  if (one.attributes !== undefined) fields.all(writer, EVENT_ATTRIBUTES, one.attributes);
  count(writer, EVENT_DROPPED, one.droppedAttributesCount);
  writer.end(from);
};

const link = (writer: ProtobufWriter, fields: AttributeFields, one: Link): void => {
  const from = writer.begin(LINKS);
  ids(writer, one.context);
  if (one.attributes !== undefined) fields.all(writer, LINK_ATTRIBUTES, one.attributes);
  count(writer, LINK_DROPPED, one.droppedAttributesCount);
  writer.reserve(1);
  writer.byte(LINK_FLAGS);
  writer.fixed32(flagsOf(one.context.traceFlags, one.context.isRemote));
  writer.end(from);
};

const status = (writer: ProtobufWriter, { status: { code, message } }: ReadableSpan): void => {
  if (code === SpanStatusCode.UNSET) return;
  const from = writer.begin(STATUS);
  if (message !== undefined && message !== '') writer.text(STATUS_MESSAGE, message);
  writer.reserve(2);
  writer.byte(STATUS_CODE);
  writer.byte(code);
  writer.end(from);
};

/** Writes a span that has ended as one field of ScopeSpans. */
export type SpanFields = (writer: ProtobufWriter, tag: number, span: ReadableSpan) => void;

export const spanFields = (fields: AttributeFields): SpanFields => {
  const encoded = (source: SpanSource): SourceBytes => {
    if (source.encoded?.by !== fields) source.encoded = sourceBytes(source, fields);
    return source.encoded as SourceBytes;
  };

  return (writer, tag, span) => {
    const known = (span as WithKnown)[KNOWN];
    const source = known && encoded(known.source);
    const context = span.spanContext();
    const parent = span.parentSpanContext;
    const from = writer.beginLong(tag);
    ids(writer, context, known?.trace);
    if (parent !== undefined) {
      const position = known?.parent;
      if (position instanceof SpanPosition) writer.words(PARENT_SPAN_ID, position.spanWords);
      else writer.hex(PARENT_SPAN_ID, parent.spanId);
    }
    if (source !== undefined && span.name === known?.source.name && span.kind === known.source.kind)
      writer.raw(source.head);
    else head(writer, span.name, span.kind);
    writer.reserve(2);
    writer.byte(START_TIME);
    writer.time(span.startTime);
    writer.reserve(1);
    writer.byte(END_TIME);
    writer.time(span.endTime);
    if (source === undefined) fields.all(writer, ATTRIBUTES, span.attributes);
    else source.attributes.write(writer, ATTRIBUTES, span.attributes);
    count(writer, DROPPED_ATTRIBUTES, span.droppedAttributesCount);
    for (const one of span.events) event(writer, fields, one);
    count(writer, DROPPED_EVENTS, span.droppedEventsCount);
    for (const one of span.links) link(writer, fields, one);
    count(writer, DROPPED_LINKS, span.droppedLinksCount);
    status(writer, span);
    writer.reserve(2);
    writer.byte(FLAGS_LOW);
    writer.byte(FLAGS_HIGH);
    writer.fixed32(flagsOf(context.traceFlags, parent?.isRemote));
    writer.endLong(from);
  };
};

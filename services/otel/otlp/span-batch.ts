import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { type AttributeFields, attributeFields } from './attribute-fields.ts';
import { originFields } from './origin-fields.ts';
import { BYTES, ProtobufWriter, varintSize } from './protobuf-writer.ts';
import { spanFields } from './span-fields.ts';

// opentelemetry/proto/collector/trace/v1/trace_service.proto and trace/v1/trace.proto
const RESOURCE_SPANS = (1 << 3) | BYTES;
const SCOPE_SPANS = (2 << 3) | BYTES;
const SPANS = (2 << 3) | BYTES;

/** A buffer that one batch of huge spans made larger is not kept. */
const LARGEST_KEPT = 4 * 1024 * 1024;

/** A request, ready to be sent. */
export interface EncodedSpans {
  readonly bytes: Uint8Array;
  readonly spans: number;
}

/** Spans as bytes, from their end on. */
export interface SpanBatch {
  /** Spans since the last `seal`. */
  readonly spans: number;
  /** @throws Error when the span cannot be written; the batch is then as it was. */
  add(span: ReadableSpan): void;
  /** The request of what was added; the batch is empty then. */
  seal(): EncodedSpans;
}

/** Spans of one scope, one after the other. */
interface ScopeChunk {
  /** Field 1 of ScopeSpans, then field 3. */
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  writer: ProtobufWriter;
}

const sized = (size: number): number => 1 + varintSize(size) + size;

/** All spans of a provider share its resource; scopes are one per library. Both are encoded once. */
export const spanBatch = (fields: AttributeFields = attributeFields()): SpanBatch => {
  const origin = originFields(fields);
  const write = spanFields(fields);
  const chunks = new Map<InstrumentationScope, ScopeChunk>();
  let resource: { readonly of: Resource; readonly head: Uint8Array; readonly tail: Uint8Array } | undefined;
  let spans = 0;

  /** Of the last span: mostly the next one's too. */
  let last: { readonly of: InstrumentationScope; readonly chunk: ScopeChunk } | undefined;
  const chunkOf = (scope: InstrumentationScope): ScopeChunk => {
    if (last?.of === scope) return last.chunk;
    let chunk = chunks.get(scope);
    if (chunk === undefined) {
      chunk = { ...origin.scope(scope), writer: new ProtobufWriter() };
      chunks.set(scope, chunk);
    }
    last = { of: scope, chunk };
    return chunk;
  };

  return {
    get spans() {
      return spans;
    },
    add(span) {
      const { writer } = chunkOf(span.instrumentationScope);
      if (resource?.of !== span.resource) resource = { of: span.resource, ...origin.resource(span.resource) };
      const before = writer.at;
      try {
        write(writer, SPANS, span);
      } catch (error) {
        writer.at = before;
        throw error;
      }
      spans += 1;
    },
    seal() {
      const used = [...chunks.values()].filter((chunk) => chunk.writer.at > 0);
      const sizeOf = ({ head, writer, tail }: ScopeChunk): number => head.length + writer.at + tail.length;
      const [head, tail] = [resource?.head ?? new Uint8Array(0), resource?.tail ?? new Uint8Array(0)];
      const size = used.reduce((sum, chunk) => sum + sized(sizeOf(chunk)), head.length + tail.length);

      const request = new ProtobufWriter(sized(size));
      request.byte(RESOURCE_SPANS);
      request.varint(size);
      request.raw(head);
      for (const chunk of used) {
        request.byte(SCOPE_SPANS);
        request.varint(sizeOf(chunk));
        request.raw(chunk.head);
        request.raw(chunk.writer.bytes.subarray(0, chunk.writer.at));
        request.raw(chunk.tail);
        if (chunk.writer.bytes.length > LARGEST_KEPT) chunk.writer = new ProtobufWriter();
        chunk.writer.at = 0;
      }
      request.raw(tail);
      const sealed = { bytes: request.bytes.subarray(0, request.at), spans };
      spans = 0;
      return sealed;
    },
  };
};

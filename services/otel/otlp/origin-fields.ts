import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { AttributeFields } from './attribute-fields.ts';
import { BYTES, ProtobufWriter } from './protobuf-writer.ts';

// opentelemetry/proto/resource/v1/resource.proto and common/v1/common.proto
const ORIGIN = (1 << 3) | BYTES; // `resource` of Resource*, `scope` of Scope*
const SCHEMA_URL = (3 << 3) | BYTES; // of both
const RESOURCE_ATTRIBUTES = (1 << 3) | BYTES;
const SCOPE_NAME = (1 << 3) | BYTES;
const SCOPE_VERSION = (2 << 3) | BYTES;

/** Where telemetry comes from, as bytes: what stands before the items and what after them. */
export interface OriginBytes {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** The same for spans and for metrics. */
export const originFields = (fields: AttributeFields) => {
  const bytes = (schemaUrl: string | undefined, write: (writer: ProtobufWriter) => void): OriginBytes => {
    const writer = new ProtobufWriter(512);
    const from = writer.begin(ORIGIN);
    write(writer);
    writer.end(from);
    const head = writer.take();
    if (schemaUrl !== undefined && schemaUrl !== '') writer.text(SCHEMA_URL, schemaUrl);
    return { head, tail: writer.take() };
  };
  return {
    resource: (resource: Resource): OriginBytes =>
      bytes(resource.schemaUrl, (writer) => fields.all(writer, RESOURCE_ATTRIBUTES, resource.attributes)),
    scope: ({ name, version, schemaUrl }: InstrumentationScope): OriginBytes =>
      bytes(schemaUrl, (writer) => {
        writer.text(SCOPE_NAME, name);
        if (version !== undefined && version !== '') writer.text(SCOPE_VERSION, version);
      }),
  };
};

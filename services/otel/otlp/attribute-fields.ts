import type { AttributeValue } from '@opentelemetry/api';
import { charCodeAt } from '../../../runtime/char-code.ts';
import { BYTES, FIXED64, ProtobufWriter, VARINT } from './protobuf-writer.ts';

// opentelemetry/proto/common/v1/common.proto
const KEY_VALUE_KEY = (1 << 3) | BYTES;
const KEY_VALUE_VALUE = (2 << 3) | BYTES;
const STRING_VALUE = (1 << 3) | BYTES;
const BOOL_VALUE = (2 << 3) | VARINT;
const INT_VALUE = (3 << 3) | VARINT;
const DOUBLE_VALUE = (4 << 3) | FIXED64;
const ARRAY_VALUE = (5 << 3) | BYTES;
const ARRAY_VALUES = (1 << 3) | BYTES;

/** Keys are names of attributes, a small set; a program that makes them up is not remembered without end. */
const MAX_KEYS = 4096;
/** A whole KeyValue of at most so many bytes has lengths of one byte each. */
const ONE_BYTE = 127;
/** The largest AnyValue that is not a text: a tag and a varint of ten bytes. */
const LARGEST_NUMBER = 11;

/** What the SDK lets into attributes: scalars, and lists of them with holes. */
type Value = AttributeValue | undefined;
type Scalar = string | number | boolean | null | undefined;
export type FieldAttributes = Readonly<Record<string, Value>>;

/** A key, and the value that it had last: most attributes repeat theirs, and the second time its bytes are kept. */
export interface KnownKey {
  readonly key: string;
  /** Key, and the tag of the value that follows. */
  readonly prefix: Uint8Array;
  tag: number;
  last: Value;
  bytes: Uint8Array | undefined;
}

const isInt64 = (value: number): boolean => Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;

/** Writes attributes as repeated KeyValue; the bytes of each key are made once. */
export interface AttributeFields {
  one(writer: ProtobufWriter, tag: number, key: string, value: Value): void;
  /** For who keeps what is known of a key, and so does not look for it. */
  known(key: string): KnownKey;
  write(writer: ProtobufWriter, tag: number, known: KnownKey, value: Value): void;
  /** The same for a value that is hardly ever the last one again: it is not compared, and not kept. */
  writeNew(writer: ProtobufWriter, tag: number, known: KnownKey, value: Value): void;
  all(writer: ProtobufWriter, tag: number, attributes: FieldAttributes): void;
}

const scalar = (writer: ProtobufWriter, value: Scalar): void => {
  switch (typeof value) {
    case 'string':
      return writer.text(STRING_VALUE, value);
    case 'boolean':
      writer.reserve(2);
      writer.byte(BOOL_VALUE);
      return writer.byte(value ? 1 : 0);
    case 'number':
      writer.reserve(LARGEST_NUMBER);
      if (isInt64(value)) {
        writer.byte(INT_VALUE);
        return writer.int64(value);
      }
      writer.byte(DOUBLE_VALUE);
      return writer.double(value);
    default: // a hole in a list: an AnyValue without a value
  }
};

const anyValue = (writer: ProtobufWriter, tag: number, value: Value): void => {
  const from = writer.begin(tag);
  if (Array.isArray(value)) {
    const list = writer.begin(ARRAY_VALUE);
    for (const item of value) {
      const at = writer.begin(ARRAY_VALUES);
      scalar(writer, item);
      writer.end(at);
    }
    writer.end(list);
  } else scalar(writer, value as Scalar);
  writer.end(from);
};

/** Key, and the tag of the value that follows. */
const keyBytes = (key: string): Uint8Array => {
  const writer = new ProtobufWriter(key.length * 3 + 8);
  writer.text(KEY_VALUE_KEY, key);
  writer.byte(KEY_VALUE_VALUE);
  return writer.take();
};

export const attributeFields = (): AttributeFields => {
  const known = new Map<string, KnownKey>();

  const knownKey = (key: string): KnownKey => {
    let found = known.get(key);
    if (found === undefined) {
      found = { key, prefix: keyBytes(key), tag: 0, last: undefined, bytes: undefined };
      if (known.size < MAX_KEYS) known.set(key, found);
    }
    return found;
  };

  /** With lengths that are known to fit into one byte, or not at all: false. */
  const small = (writer: ProtobufWriter, tag: number, prefix: Uint8Array, value: Value): boolean => {
    const isText = typeof value === 'string';
    const size = isText ? value.length + 2 : LARGEST_NUMBER;
    if (prefix.length + size + 1 > ONE_BYTE || (!isText && typeof value === 'object')) return false;
    writer.reserve(ONE_BYTE + 2);
    const { bytes } = writer;
    const start = writer.at;
    let at = start;
    bytes[at] = tag;
    at += 2;
    for (let i = 0; i < prefix.length; i++) bytes[at++] = prefix[i] as number;
    const valueAt = at;
    at += 1;
    if (isText) {
      bytes[at++] = STRING_VALUE;
      bytes[at++] = value.length;
      for (let i = 0; i < value.length; i++) {
        const code = charCodeAt(value, i);
        if (code > 0x7f) return false; // nothing was taken: `at` of the writer stands where it was
        bytes[at++] = code;
      }
      writer.at = at;
    } else {
      writer.at = at;
      scalar(writer, value as Scalar);
    }
    bytes[valueAt] = writer.at - valueAt - 1;
    bytes[start + 1] = writer.at - start - 2;
    return true;
  };

  const large = (writer: ProtobufWriter, tag: number, prefix: Uint8Array, value: Value): void => {
    const from = writer.begin(tag);
    writer.raw(prefix.subarray(0, prefix.length - 1));
    anyValue(writer, KEY_VALUE_VALUE, value);
    writer.end(from);
  };

  const write = (writer: ProtobufWriter, tag: number, found: KnownKey, value: Value): void => {
    if (value === undefined || value === null) return;
    const { prefix } = found;
    // Only what is short is kept: a stack trace would stay in memory for nothing.
    if (typeof value === 'string' ? value.length < ONE_BYTE : typeof value !== 'object') {
      if (value === found.last && tag === found.tag) {
        if (found.bytes !== undefined) return writer.raw(found.bytes);
        const from = writer.at;
        if (!small(writer, tag, prefix, value)) return large(writer, tag, prefix, value);
        found.bytes = Uint8Array.prototype.slice.call(writer.bytes, from, writer.at);
        return;
      }
      found.tag = tag;
      found.last = value;
      found.bytes = undefined;
    }
    if (!small(writer, tag, prefix, value)) large(writer, tag, prefix, value);
  };

  const writeNew: AttributeFields['writeNew'] = (writer, tag, { prefix }, value) => {
    if (value === undefined || value === null) return;
    if (!small(writer, tag, prefix, value)) large(writer, tag, prefix, value);
  };

  const one: AttributeFields['one'] = (writer, tag, key, value) => {
    if (value !== undefined && value !== null) write(writer, tag, knownKey(key), value);
  };

  return {
    one,
    write,
    writeNew,
    known: knownKey,
    all(writer, tag, attributes) {
      for (const key in attributes) one(writer, tag, key, attributes[key]);
    },
  };
};

/** The wire types of protobuf that OTLP uses, named by what they become. 64-bit numbers become bigint. */
type Scalar = 'string' | 'hex' | 'uint' | 'sint32' | 'bool' | 'fixed64' | 'fixed32' | 'double' | 'int64';
export interface Field {
  readonly name: string;
  readonly type: Scalar | Message;
  readonly isRepeated?: boolean;
}
export type Message = { readonly [tag: number]: Field };
export type Decoded = Record<string, unknown>;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Reads one message; unknown fields are skipped. @throws Error on bytes that are not protobuf. */
export const decodeMessage = (bytes: Buffer, message: Message): Decoded => {
  const out: Decoded = {};
  let at = 0;

  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('protobuf: the message ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('protobuf: the message ends within a field');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const put = (field: Field, value: unknown): void => {
    const known = out[field.name];
    if (field.isRepeated !== true) out[field.name] = value;
    else if (Array.isArray(known)) known.push(value);
    else out[field.name] = [value];
  };
  const number64 = (type: Field['type'], raw: Buffer): unknown =>
    type === 'double' ? raw.readDoubleLE() : type === 'int64' ? raw.readBigInt64LE() : raw.readBigUInt64LE();

  while (at < bytes.length) {
    const tag = Number(varint());
    const field = message[tag >>> 3];
    switch (tag & 7) {
      case VARINT: {
        const value = varint();
        if (field === undefined) break;
        if (field.type === 'bool') put(field, value !== 0n);
        else if (field.type === 'sint32') put(field, Number((value >> 1n) ^ -(value & 1n)));
        else put(field, field.type === 'int64' ? BigInt.asIntN(64, value) : Number(value));
        break;
      }
      case FIXED64: {
        const raw = take(8);
        if (field !== undefined) put(field, number64(field.type, raw));
        break;
      }
      case FIXED32: {
        const raw = take(4);
        if (field !== undefined) put(field, raw.readUInt32LE());
        break;
      }
      case BYTES: {
        const raw = take(Number(varint()));
        if (field === undefined) break;
        if (typeof field.type === 'object') put(field, decodeMessage(raw, field.type));
        else if (field.type === 'string') put(field, raw.toString('utf8'));
        else if (field.type === 'hex') put(field, raw.toString('hex'));
        else if (field.type === 'uint') {
          const end = at; // packed
          at -= raw.length;
          while (at < end) put(field, Number(varint()));
        } else for (let i = 0; i < raw.length; i += 8) put(field, number64(field.type, raw.subarray(i, i + 8))); // packed
        break;
      }
      default:
        throw new Error(`protobuf: wire type ${tag & 7} of field ${tag >>> 3}`);
    }
  }
  return out;
};

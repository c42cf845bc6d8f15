import { stringFromBytes } from '../lua/values.ts';
import { codecError, MAX_DATA_DEPTH } from './data-path.ts';
import type { HostData } from './host-data.ts';

/**
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) of host data: texts as `str`, bytes that are no UTF-8 as
 * `bin`, whole numbers of 64 bits as integers, others as doubles. @throws CallError Internal above 64 MiB.
 */
export const encodeMsgpack = (data: HostData): Uint8Array => {
  const out = new Writer();
  encode(out, data);
  return out.written();
};

/**
 * Host data of MessagePack; keys of maps become text, integers beyond 2^53 are rounded.
 * @throws CallError Internal, retryable false: `malformed msgpack: ...`; the message quotes nothing of it.
 */
export const decodeMsgpack = (bytes: Uint8Array): HostData => {
  const reader = new Reader(bytes);
  const data = reader.value(0);
  if (reader.left > 0) throw malformed(`${reader.left} bytes follow the value`);
  return data;
};

const malformed = (why: string) => codecError(`malformed msgpack: ${why}`);

/** As much as JSON text may be. */
const MAX_SIZE = 64 * 1024 * 1024;
const INT64_MIN = -(2 ** 63);
const INT64_END = 2 ** 63;

class Writer {
  #bytes = Buffer.allocUnsafe(256);
  #at = 0;

  written(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }
  /** Room for so many bytes; the position that they begin at. */
  #take(count: number): number {
    if (this.#at + count > MAX_SIZE) throw codecError(`value too large for msgpack: more than ${MAX_SIZE} bytes`);
    if (this.#at + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + count));
      this.#bytes.copy(larger, 0, 0, this.#at);
      this.#bytes = larger;
    }
    const from = this.#at;
    this.#at += count;
    return from;
  }
  byte(value: number): void {
    const at = this.#take(1);
    this.#bytes[at] = value & 0xff;
  }
  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }
  /** The smallest of three forms of a length: of 8 (where there is one), 16 and 32 bits. */
  head(length: number, forms: readonly [of8: number | undefined, of16: number, of32: number]): void {
    const [of8, of16, of32] = forms;
    if (of8 !== undefined && length < 2 ** 8) {
      this.byte(of8);
      this.byte(length);
    } else if (length < 2 ** 16) {
      this.byte(of16);
      const at = this.#take(2);
      this.#bytes.writeUInt16BE(length, at);
    } else {
      this.byte(of32);
      const at = this.#take(4);
      this.#bytes.writeUInt32BE(length, at);
    }
  }
  double(value: number): void {
    this.byte(0xcb);
    const at = this.#take(8);
    this.#bytes.writeDoubleBE(value, at);
  }
  integer(value: number): void {
    if (value >= -32 && value < 128) return this.byte(value);
    if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.byte(0xd2);
      const at = this.#take(4);
      this.#bytes.writeInt32BE(value, at);
      return;
    }
    this.byte(0xd3);
    const at = this.#take(8);
    this.#bytes.writeBigInt64BE(BigInt(value), at);
  }
}

const encode = (out: Writer, data: HostData): void => {
  if (data === null) return out.byte(0xc0);
  if (typeof data === 'boolean') return out.byte(data ? 0xc3 : 0xc2);
  if (typeof data === 'number') {
    const isInteger = Number.isInteger(data) && data >= INT64_MIN && data < INT64_END;
    return isInteger ? out.integer(data) : out.double(data);
  }
  if (typeof data === 'string') {
    const bytes = Buffer.from(data, 'utf8');
    if (bytes.length < 32) out.byte(0xa0 | bytes.length);
    else out.head(bytes.length, [0xd9, 0xda, 0xdb]);
    return out.raw(bytes);
  }
  if (data instanceof Uint8Array) {
    out.head(data.length, [0xc4, 0xc5, 0xc6]);
    return out.raw(data);
  }
  if (Array.isArray(data)) {
    if (data.length < 16) out.byte(0x90 | data.length);
    else out.head(data.length, [undefined, 0xdc, 0xdd]);
    for (const item of data as readonly HostData[]) encode(out, item);
    return;
  }
  const members = Object.entries(data as { readonly [key: string]: HostData });
  if (members.length < 16) out.byte(0x80 | members.length);
  else out.head(members.length, [undefined, 0xde, 0xdf]);
  for (const [key, member] of members) {
    encode(out, key);
    encode(out, member);
  }
};

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get left(): number {
    return this.#bytes.length - this.#at;
  }
  #take(count: number): number {
    if (count > this.left) throw malformed('it ends in the middle of a value');
    const from = this.#at;
    this.#at += count;
    return from;
  }
  #size(bits: number): number {
    return this.#bytes.readUIntBE(this.#take(bits / 8), bits / 8);
  }
  #string(length: number): string | Uint8Array {
    const from = this.#take(length);
    return stringFromBytes(new Uint8Array(this.#bytes.subarray(from, from + length)));
  }
  #array(length: number, depth: number): HostData {
    if (length > this.left) throw malformed('it ends in the middle of an array');
    return Array.from({ length }, () => this.value(depth + 1));
  }
  #map(length: number, depth: number): HostData {
    if (length > this.left) throw malformed('it ends in the middle of a map');
    const members: [string, HostData][] = [];
    for (let i = 0; i < length; i += 1) {
      const key = this.value(depth + 1);
      if (typeof key === 'object') throw malformed('a key of a map is neither a text nor a number');
      members.push([String(key), this.value(depth + 1)]);
    }
    return Object.fromEntries(members); // defines `__proto__` like any other key
  }
  value(depth: number): HostData {
    if (depth > MAX_DATA_DEPTH) throw malformed(`nesting deeper than ${MAX_DATA_DEPTH}`);
    const head = this.#size(8);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, depth);
    if (head < 0xa0) return this.#array(head & 0x0f, depth);
    if (head < 0xc0) return this.#string(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xd9:
        return this.#string(this.#size(8));
      case 0xc5:
      case 0xda:
        return this.#string(this.#size(16));
      case 0xc6:
      case 0xdb:
        return this.#string(this.#size(32));
      case 0xca:
        return this.#bytes.readFloatBE(this.#take(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#size(8);
      case 0xcd:
        return this.#size(16);
      case 0xce:
        return this.#size(32);
      case 0xcf:
        return Number(this.#bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return this.#bytes.readInt8(this.#take(1));
      case 0xd1:
        return this.#bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return Number(this.#bytes.readBigInt64BE(this.#take(8)));
      case 0xdc:
        return this.#array(this.#size(16), depth);
      case 0xdd:
        return this.#array(this.#size(32), depth);
      case 0xde:
        return this.#map(this.#size(16), depth);
      case 0xdf:
        return this.#map(this.#size(32), depth);
      default:
        throw malformed(`type 0x${head.toString(16)} is not supported`);
    }
  }
}

import { charCodeAt } from '../../../runtime/char-code.ts';
/** Wire types (protobuf, "Encoding"). A tag byte is `field << 3 | wire type`; all fields of OTLP up to 15 fit into one byte. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Texts up to this length are written byte by byte: for longer ones the call into the engine's encoder is cheaper. */
const SHORT_TEXT = 64;
/** The same for bytes. */
const SHORT_RAW = 48;
const INITIAL_BYTES = 4096;

export const varintSize = (value: number): number => {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
};

/** The value of a lower-case hex digit, by its code: a letter has bit 6, and its low half counts from 1. */
export const hexValue = (code: number): number => (code & 0xf) + (code >> 6) * 9;

/**
 * Writes protobuf into one buffer that grows and is used again. A message is written between `begin` and `end`: one byte is
 * kept for its length, which nearly always is enough, and what follows moves where it is not.
 */
export class ProtobufWriter {
  bytes: Buffer;
  /** Where the next byte goes. */
  at = 0;
  #view: DataView;

  constructor(initialBytes = INITIAL_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes sure that `size` more bytes fit. What a method does not say it reserves, its caller reserves. */
  reserve(size: number): void {
    const needed = this.at + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** A copy of what was written; the writer is empty then. */
  take(): Uint8Array {
    const taken = Uint8Array.prototype.slice.call(this.bytes, 0, this.at);
    this.at = 0;
    return taken;
  }

  /** One byte: a tag, or a number below 128. Reserves nothing. */
  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** An unsigned whole number up to 2^53. Reserves. */
  varint(value: number): void {
    this.reserve(10);
    const { bytes } = this;
    let at = this.at;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  /** A signed whole number within 64 bits, negative ones as two's complement (`int64`). Reserves. */
  int64(value: number): void {
    if (value >= 0) return this.varint(value);
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
  }

  /** Zigzag (`sint32`). Reserves. */
  sint32(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** Reserves. */
  double(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** An unsigned whole number up to 2^53 as 64 bits. Reserves. */
  fixed64(value: number): void {
    this.reserve(8);
    this.#view.setUint32(this.at, value >>> 0, true);
    this.#view.setUint32(this.at + 4, Math.floor(value / 0x1_0000_0000), true);
    this.at += 8;
  }

  /** A signed whole number up to 2^53 as 64 bits, two's complement. Reserves. */
  sfixed64(value: number): void {
    this.reserve(8);
    this.#view.setUint32(this.at, value >>> 0, true);
    this.#view.setInt32(this.at + 4, Math.floor(value / 0x1_0000_0000), true);
    this.at += 8;
  }

  /** Reserves. */
  fixed32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** `[seconds, nanoseconds]` since the epoch as 64 bits of nanoseconds. Reserves. */
  time(time: readonly [number, number]): void {
    this.reserve(8);
    const [second, nanoseconds] = time;
    // In two halves that doubles hold exactly: the product would not fit into 53 bits.
    const upperSeconds = Math.floor(second / 0x1_0000);
    const upper = upperSeconds * 1e9;
    const lower = (second - upperSeconds * 0x1_0000) * 1e9 + nanoseconds;
    const upperHigh = Math.floor(upper / 0x1_0000);
    const lowerHigh = Math.floor(lower / 0x1_0000_0000);
    const low = (upper - upperHigh * 0x1_0000) * 0x1_0000 + (lower - lowerHigh * 0x1_0000_0000); // below 2^33
    this.#view.setUint32(this.at, low >>> 0, true);
    this.#view.setUint32(this.at + 4, upperHigh + lowerHigh + (low > 0xffffffff ? 1 : 0), true);
    this.at += 8;
  }

  /** Bytes as they are, without tag and length. Reserves. */
  raw(from: Uint8Array): void {
    const size = from.length;
    this.reserve(size);
    const { bytes, at } = this;
    if (size > SHORT_RAW) bytes.set(from, at);
    else for (let i = 0; i < size; i++) bytes[at + i] = from[i] as number;
    this.at = at + size;
  }

  /** Words of 32 bits, the first byte of each first, as a field. Reserves. */
  words(tag: number, words: readonly number[]): void {
    const size = words.length * 4;
    this.reserve(size + 2);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = tag;
    bytes[at++] = size;
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      bytes[at++] = word >>> 24;
      bytes[at++] = word >>> 16;
      bytes[at++] = word >>> 8;
      bytes[at++] = word;
    }
    this.at = at;
  }

  /** The bytes that lower-case hex digits name, as a field. Reserves. */
  hex(tag: number, text: string): void {
    const size = text.length >>> 1;
    this.reserve(size + 2);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = tag;
    bytes[at++] = size;
    for (let i = 0; i < text.length; i += 2) {
      bytes[at++] = (hexValue(charCodeAt(text, i)) << 4) | hexValue(charCodeAt(text, i + 1));
    }
    this.at = at;
  }

  /** A text field, as UTF-8. Reserves. */
  text(tag: number, text: string): void {
    const size = text.length;
    this.reserve(size * 3 + 6);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = tag;
    this.at = at;
    if (size <= SHORT_TEXT) {
      bytes[at++] = size;
      let i = 0;
      for (; i < size; i++) {
        const code = charCodeAt(text, i);
        if (code > 0x7f) break;
        bytes[at++] = code;
      }
      if (i === size) {
        this.at = at;
        return;
      }
    }
    this.#longText(text);
  }

  /** Length and bytes of a text: as if it were ASCII, then moved where it was not and the length got longer. */
  #longText(text: string): void {
    const guess = varintSize(text.length);
    const from = this.at;
    const size = this.bytes.write(text, from + guess, 'utf8');
    const needed = varintSize(size);
    if (needed !== guess) this.bytes.copyWithin(from + needed, from + guess, from + guess + size);
    this.#length(from, size);
    this.at = from + needed + size;
  }

  /** Writes the tag of a message; `end` takes what this returns. Reserves. */
  begin(tag: number): number {
    this.reserve(2);
    this.bytes[this.at] = tag;
    this.at += 2;
    return this.at;
  }

  end(from: number): void {
    this.#close(from, 1);
  }

  /** `begin` for what is nearly always longer than 127 bytes: two bytes are kept for its length. `endLong` ends it. */
  beginLong(tag: number): number {
    this.reserve(3);
    this.bytes[this.at] = tag;
    this.at += 3;
    return this.at;
  }

  endLong(from: number): void {
    this.#close(from, 2);
  }

  /** Writes the length of what began at `from` into the `kept` bytes before it. */
  #close(from: number, kept: number): void {
    const size = this.at - from;
    const more = varintSize(size) - kept;
    if (more !== 0) {
      if (more > 0) this.reserve(more);
      this.bytes.copyWithin(from + more, from, this.at);
      this.at += more;
    }
    this.#length(from - kept, size);
  }

  #length(at: number, size: number): void {
    let rest = size;
    let to = at;
    while (rest > 0x7f) {
      this.bytes[to++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[to] = rest;
  }
}

import { stringFromBytes } from '../../../runtime/lua/values.ts';
import type { Lsn } from './lsn.ts';
import { shortText } from './short-text.ts';

const REPLACEMENT = '\uFFFD';

/** Reads the fields of one message after the other. @throws Error beyond a message's end: one that is cut off is never half read. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The next message: `bytes` from `from` on. */
  begin(bytes: Buffer, from: number): void {
    this.#bytes = bytes;
    this.#at = from;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    this.#need(1);
    const value = this.#bytes[this.#at] as number;
    this.#at += 1;
    return value;
  }

  int16(): number {
    this.#need(2);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at += 2;
    return (((bytes[at] as number) << 24) >> 16) | (bytes[at + 1] as number);
  }

  int32(): number {
    this.#need(4);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at += 4;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  /** Of object ids and transaction ids. */
  uint32(): number {
    return this.int32() >>> 0;
  }

  int64(): bigint {
    this.#need(8);
    const value = this.#bytes.readBigInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  lsn(): Lsn {
    this.#need(8);
    const value = this.#bytes.readBigUInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  /** Up to the next zero byte. */
  cstring(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new Error(`pgoutput: a text without its end at byte ${this.#at}`);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** `length` bytes as text; themselves, copied, where they are no UTF-8. */
  text(length: number): string | Uint8Array {
    this.#need(length);
    const from = this.#at;
    this.#at += length;
    const short = shortText(this.#bytes, from, length);
    if (short !== undefined) return short;
    const text = this.#bytes.toString('utf8', from, this.#at);
    // The lenient decoder is the fast one; only a text that holds its replacement character is looked at again.
    return text.includes(REPLACEMENT)
      ? stringFromBytes(Uint8Array.prototype.slice.call(this.#bytes, from, this.#at))
      : text;
  }

  /** A copy: the buffer is the connection's, which writes over it. */
  bytes(length: number): Uint8Array {
    this.#need(length);
    const from = this.#at;
    this.#at += length;
    return Uint8Array.prototype.slice.call(this.#bytes, from, this.#at);
  }

  #need(length: number): void {
    if (length < 0 || this.left < length) {
      throw new Error(
        `pgoutput: a message ends after ${this.#bytes.length} bytes, ${length} more were expected at ${this.#at}`,
      );
    }
  }
}

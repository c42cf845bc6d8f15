const NEWLINE = 10;
const RETURN = 13;

/** Bytes in the order in which they came, taken from the front. Nothing is copied until it is taken. */
export class ByteQueue {
  readonly #chunks: Buffer[] = [];
  /** How many chunks, from the first on, are known to hold no newline. */
  #searched = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Up to `count` bytes; fewer where there are fewer. */
  take(count: number): Buffer {
    const parts: Buffer[] = [];
    let left = Math.min(count, this.#size);
    this.#size -= left;
    while (left > 0) {
      const first = this.#chunks[0] as Buffer;
      if (first.length > left) {
        parts.push(first.subarray(0, left));
        this.#chunks[0] = first.subarray(left);
        break;
      }
      parts.push(first);
      left -= first.length;
      this.#chunks.shift();
      if (this.#searched > 0) this.#searched -= 1;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Up to the next newline, which is dropped with a carriage return before it; undefined where there is none. */
  takeLine(): Buffer | undefined {
    let before = 0;
    for (const [index, chunk] of this.#chunks.entries()) {
      const at = index < this.#searched ? -1 : chunk.indexOf(NEWLINE);
      if (at >= 0) {
        const line = this.take(before + at + 1);
        const end = line.length - (line[line.length - 2] === RETURN ? 2 : 1);
        return line.subarray(0, end);
      }
      before += chunk.length;
    }
    this.#searched = this.#chunks.length;
    return undefined;
  }
}

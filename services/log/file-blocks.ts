import type { LogDestination } from './sinks.ts';

/** Characters after which a block does not wait for the end of the turn. */
const BLOCK_CHARACTERS = 64 * 1024;

/** Writes all or a part of `bytes` and says how many; throws like `fs.writeSync`. */
export type WriteBytes = (bytes: Uint8Array) => number;

export interface FileBlocks extends LogDestination {
  /** Writes what is kept, now: for lines that must not wait, and when the process ends. */
  writeOut(): void;
}

type Done = (error?: Error | null) => void;
const NEWLINE = 10;

/**
 * Lines for a file, gathered within one turn of the event loop and written as one block: a write per line costs as much
 * as making it. They keep their order, and no line waits longer than the turn that wrote it, so that even a process that
 * is killed loses no more than that. `write` blocks, as writes to files do.
 */
export const fileBlocks = (write: WriteBytes): FileBlocks => {
  let lines: string[] = [];
  let dones: (Done | undefined)[] = [];
  let characters = 0;
  let isScheduled = false;
  /** The last write broke off inside a line: the next one begins a line of its own. */
  let isTorn = false;

  /** @returns the bytes that arrived, and what the rest failed with */
  const writeAll = (bytes: Uint8Array): { written: number; error?: Error } => {
    let written = 0;
    while (written < bytes.length) {
      try {
        written += write(bytes.subarray(written));
      } catch (error) {
        return { written, error: error instanceof Error ? error : new Error(String(error)) };
      }
    }
    return { written };
  };

  const writeOut = (): void => {
    if (lines.length === 0) return;
    const [block, told] = [lines, dones];
    lines = [];
    dones = [];
    characters = 0;
    const start = isTorn ? '\n' : '';
    const bytes = Buffer.from(start + block.join(''));
    const { written, error } = writeAll(bytes);
    if (written > 0) isTorn = bytes[written - 1] !== NEWLINE;
    if (error === undefined) {
      for (const done of told) done?.();
      return;
    }
    let end = start.length;
    for (const [i, line] of block.entries()) {
      end += Buffer.byteLength(line);
      told[i]?.(end <= written ? null : error);
    }
  };
  const atEndOfTurn = (): void => {
    isScheduled = false;
    writeOut();
  };

  return {
    on: () => undefined, // failures are told to each line
    write(line, done) {
      lines.push(line);
      dones.push(done);
      characters += line.length;
      if (characters >= BLOCK_CHARACTERS) writeOut();
      else if (!isScheduled) {
        isScheduled = true;
        setImmediate(atEndOfTurn);
      }
    },
    writeOut,
    flush: writeOut,
  };
};

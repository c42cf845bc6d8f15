import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { fileBlocks } from '../../services/log/file-blocks.ts';
import type { LogDestination } from '../../services/log/sinks.ts';
import type { TerminalInput } from '../../services/terminal/port.ts';

/** What a command may touch of the process it runs in: everything else is passed along. */
export interface Terminal {
  /** Standard input; asked for when something is to be read from it. */
  readonly input: () => TerminalInput;
  readonly out: Writable;
  readonly err: Writable;
  /** Where a program's lines go: `err`, in blocks where that is a file. */
  readonly logs: LogDestination;
  readonly isTerminal: boolean;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Tells of SIGTERM and SIGINT until the returned function is called. */
  onSignal(listener: (name: string) => void): () => void;
  /** Tells of what nobody caught, with the same way back. */
  onUncaught(listener: (error: unknown) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/**
 * Standard error for a program's lines. A file gets them in blocks, the last one at the latest when the process ends;
 * pipes and terminals, where somebody waits for them, one by one.
 */
export const standardErrorLog = (): LogDestination => {
  const { fd } = process.stderr;
  if (!fstatSync(fd).isFile()) return process.stderr;
  const blocks = fileBlocks((bytes) => writeSync(fd, bytes));
  process.on('exit', () => blocks.writeOut());
  return blocks;
};

export const processTerminal = (): Terminal => ({
  input: () => process.stdin,
  out: process.stdout,
  err: process.stderr,
  logs: standardErrorLog(),
  isTerminal: process.stderr.isTTY === true,
  variables: process.env,
  onSignal(listener) {
    const names = ['SIGTERM', 'SIGINT'] as const;
    for (const name of names) process.on(name, listener);
    return () => {
      for (const name of names) process.off(name, listener);
    };
  },
  onUncaught(listener) {
    process.on('uncaughtException', listener);
    return () => process.off('uncaughtException', listener);
  },
  exit: (code) => process.exit(code),
});

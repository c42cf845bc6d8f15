import type { Readable, Writable } from 'node:stream';
import { type ContextKey, contextKey } from '../../runtime/context.ts';
import type { Input } from './input.ts';

/** Standard input as the program got it: a terminal, a pipe or a file. */
export type TerminalInput = Readable & {
  /** Given by terminals. */
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode?(isRaw: boolean): unknown;
};

/** What one process has of the terminal, from its start to its end. */
export interface TerminalSession {
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly input: Input;
  readonly out: Writable;
  readonly err: Writable;
  /** Errors of `out` and `err` that the process was told: nobody else has to act on them. */
  readonly told: WeakSet<Error>;
}

/** Private: neither the processes that this one spawns nor the functions that it calls are on the terminal (lua/io.md). */
export const TERMINAL: ContextKey<TerminalSession | undefined> = contextKey<TerminalSession | undefined>(
  'terminal',
  undefined,
  { isPrivate: true },
);

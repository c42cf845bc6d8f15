import type { Writable } from 'node:stream';
import { inputOf } from './input.ts';
import type { TerminalInput, TerminalSession } from './port.ts';

export interface SessionOptions {
  readonly args: readonly string[];
  /** Asked for when the process first reads. */
  readonly input: () => TerminalInput;
  readonly out: Writable;
  readonly err: Writable;
}

/** The terminal for one process; close its input when the process has ended. */
export const terminalSession = ({ args, input, out, err }: SessionOptions): TerminalSession => ({
  args,
  input: inputOf(input),
  out,
  err,
  told: new WeakSet(),
});

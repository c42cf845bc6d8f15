import type { Writable } from 'node:stream';
import type { TerminalInput } from '../../services/terminal/port.ts';

/** What a command may touch of the process it runs in: everything else is passed along. */
export interface Terminal {
  /** Standard input; asked for when something is to be read from it. */
  readonly input: () => TerminalInput;
  readonly out: Writable;
  readonly err: Writable;
  readonly isTerminal: boolean;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Tells of SIGTERM and SIGINT until the returned function is called. */
  onSignal(listener: (name: string) => void): () => void;
  /** Tells of what nobody caught, with the same way back. */
  onUncaught(listener: (error: unknown) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

export const processTerminal = (): Terminal => ({
  input: () => process.stdin,
  out: process.stdout,
  err: process.stderr,
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

import type { Writable } from 'node:stream';

/** What a command may touch of the process it runs in: everything else is passed along. */
export interface Terminal {
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

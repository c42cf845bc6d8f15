import { Readable, Writable } from 'node:stream';
import type { Terminal } from '../../boot/commands/terminal.ts';

/** A terminal that keeps what is written and lets a test send signals. */
export interface FakeTerminal extends Terminal {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Lines of both, without the empty ones. */
  readonly outLines: () => readonly string[];
  readonly errLines: () => readonly string[];
  /** Codes that `exit` was called with. */
  readonly exits: readonly number[];
  /** How many listen to signals and uncaught errors now. */
  readonly listeners: () => number;
  signal(name: string): void;
  uncaught(error: unknown): void;
}

const kept = (): { stream: Writable; text: () => string } => {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
};
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

export const fakeTerminal = (
  variables: Readonly<Record<string, string | undefined>> = {},
  options: { isTerminal?: boolean; input?: Readable } = {},
): FakeTerminal => {
  const out = kept();
  const err = kept();
  const exits: number[] = [];
  const signals = new Set<(name: string) => void>();
  const uncaught = new Set<(error: unknown) => void>();
  const listen = <T>(set: Set<T>, listener: T): (() => void) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  return {
    input: () => options.input ?? Readable.from([]),
    out: out.stream,
    err: err.stream,
    logs: err.stream,
    isTerminal: options.isTerminal ?? false,
    variables,
    onSignal: (listener) => listen(signals, listener),
    onUncaught: (listener) => listen(uncaught, listener),
    exit: (code) => exits.push(code),
    stdout: out.text,
    stderr: err.text,
    outLines: () => linesOf(out.text()),
    errLines: () => linesOf(err.text()),
    exits,
    listeners: () => signals.size + uncaught.size,
    signal: (name) => {
      for (const listener of [...signals]) listener(name);
    },
    uncaught: (error) => {
      for (const listener of [...uncaught]) listener(error);
    },
  };
};

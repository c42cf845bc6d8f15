/** Where lines go: a Writable (`process.stdout`), or anything that takes a text. */
export interface LogDestination {
  write(line: string, done?: (error?: Error | null) => void): unknown;
  /** Given by streams: they call `done`, and tell failures as an event too. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** Characters that wait in the stream. */
  readonly writableLength?: number;
  /** What a stream failed with for good: it keeps further lines and tells nobody. */
  readonly errored?: Error | null;
  /** For destinations that keep lines back. */
  flush?(): void | Promise<void>;
  /** The same at once: what is kept must be out when this returns. Never throws. */
  writeOut?(): void;
}

export type SinkFailure = 'write' | 'throttled';

/** A destination that does not read may hold this much; then its lines are dropped, so that it takes no more memory. */
const MAX_BACKLOG = 16 * 1024 * 1024;

/** Neither hook may throw; `lost` may not log: the line could be lost as well, and so on. */
export interface SinkHooks {
  /** A line was lost; called for each. */
  readonly lost: (kind: SinkFailure) => void;
  /** The first line of a failure episode was lost; a line that arrives ends the episode. */
  readonly broken: (index: number, error: Error) => void;
}

export interface Sinks {
  /** Gives a line to every destination, whatever the others do with it. Never throws. */
  write(line: string): void;
  /** Has what destinations keep back written at once. */
  writeOut(): void;
  /** Resolves when everything given so far was taken or refused. */
  flush(): Promise<void>;
}

export const sinks = (destinations: readonly LogDestination[], hooks: SinkHooks): Sinks => {
  const all = destinations.map((destination, index) => new Sink(destination, index, hooks));
  return {
    write(line) {
      for (const sink of all) sink.write(line);
    },
    writeOut() {
      for (const sink of all) sink.writeOut();
    },
    async flush() {
      await Promise.all(all.map((sink) => sink.flush()));
    },
  };
};

class Sink {
  readonly #destination: LogDestination;
  readonly #isStream: boolean;
  readonly #index: number;
  readonly #hooks: SinkHooks;
  #isFailing = false;
  #isBusy = false;

  constructor(destination: LogDestination, index: number, hooks: SinkHooks) {
    this.#destination = destination;
    this.#index = index;
    this.#hooks = hooks;
    this.#isStream = typeof destination.on === 'function';
    // Without a listener a broken pipe would end the program. The callback of the write that failed counts it, but an
    // error between two writes is told by the event alone.
    destination.on?.('error', (error) => this.#begin(error));
  }

  write(line: string): void {
    // A destination or hook that logs while it takes a line would never come to an end: it gets no line of its own.
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const { errored, writableLength = 0 } = this.#destination;
      if (errored !== undefined && errored !== null) {
        this.#lose('write', errored);
      } else if (writableLength > MAX_BACKLOG) {
        this.#lose('throttled', new Error(`it does not read: ${MAX_BACKLOG} bytes wait`));
      } else if (this.#isStream) {
        this.#destination.write(line, this.#done);
      } else {
        this.#destination.write(line);
        this.#isFailing = false;
      }
    } catch (error) {
      this.#lose('write', error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isBusy = false;
    }
  }

  writeOut(): void {
    this.#destination.writeOut?.();
  }

  async flush(): Promise<void> {
    await this.#destination.flush?.();
    if (!this.#isStream || (this.#destination.errored ?? null) !== null) return;
    // A stream takes writes in order: when it has taken this one it has taken all. A failure ends the wait as well.
    await new Promise<void>((resolve) => {
      this.#destination.write('', () => resolve());
    });
  }

  /** One function for all writes, so that a line costs no closure. */
  readonly #done = (error?: Error | null): void => {
    if (error === undefined || error === null) this.#isFailing = false;
    else this.#lose('write', error);
  };

  #lose(kind: SinkFailure, error: Error): void {
    this.#hooks.lost(kind);
    this.#begin(error);
  }

  #begin(error: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#hooks.broken(this.#index, error);
  }
}

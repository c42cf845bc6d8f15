import { internal } from '../../runtime/errors.ts';
import { ByteQueue } from './byte-queue.ts';
import type { TerminalInput } from './port.ts';

/** Takes what it wants from the bytes that are there; undefined: it has to wait for more. */
type Take = (bytes: ByteQueue, isEnded: boolean) => Buffer | undefined;

/** Standard input of one process: read only while somebody waits for it, so that nothing is taken that nobody asked for. */
export interface Input {
  readonly isTerminal: boolean;
  /** Up to `limit` bytes as soon as some are there; undefined at the end. Rejects with what reading failed with. */
  read(limit: number): Promise<Buffer | undefined> | Buffer | undefined;
  /** The next line without its end; the last one may have none. undefined at the end. */
  readLine(): Promise<Buffer | undefined> | Buffer | undefined;
  /** @throws CallError Internal where the terminal refuses. */
  setRaw(isRaw: boolean): void;
  /** Whoever waits is left waiting; the terminal is as it was found. Idempotent. */
  close(): void;
}

interface Waiter {
  readonly take: Take;
  readonly resolve: (bytes: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** `source` is asked for when it is first needed: opening standard input alone may keep a program alive. */
export const inputOf = (source: () => TerminalInput): Input => {
  const bytes = new ByteQueue();
  const waiters: Waiter[] = [];
  let stream: TerminalInput | undefined;
  let isEnded = false;
  let failure: Error | undefined;
  /** How the terminal was found; undefined: it has not been touched. */
  let wasRaw: boolean | undefined;

  const serve = (): void => {
    for (let next = waiters[0]; next !== undefined; next = waiters[0]) {
      const taken = next.take(bytes, isEnded);
      if (taken === undefined && !isEnded) return;
      waiters.shift();
      if (taken === undefined && failure !== undefined) next.reject(failure);
      else next.resolve(taken);
    }
    stream?.pause();
  };
  const onData = (chunk: Buffer | string): void => {
    bytes.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    serve();
  };
  const onEnd = (): void => {
    isEnded = true;
    serve();
  };
  const onError = (error: Error): void => {
    failure = internal(`standard input cannot be read: ${error.message}`, { cause: error });
    onEnd();
  };
  const open = (): TerminalInput => {
    if (stream !== undefined) return stream;
    stream = source();
    stream.pause(); // so that listening alone takes nothing
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('close', onEnd);
    stream.on('error', onError);
    isEnded = stream.readableEnded || stream.destroyed;
    return stream;
  };
  const wait = (take: Take): Promise<Buffer | undefined> | Buffer | undefined => {
    const opened = open();
    const taken = waiters.length === 0 ? take(bytes, isEnded) : undefined;
    if (taken !== undefined) return taken;
    if (isEnded) return failure === undefined ? undefined : Promise.reject(failure);
    return new Promise((resolve, reject) => {
      waiters.push({ take, resolve, reject });
      opened.resume();
    });
  };

  return {
    get isTerminal() {
      return open().isTTY === true;
    },
    read: (limit) => wait((held) => (held.size === 0 ? undefined : held.take(limit))),
    readLine: () =>
      wait((held, ended) => held.takeLine() ?? (ended && held.size > 0 ? held.take(held.size) : undefined)),
    setRaw(isRaw) {
      const terminal = open();
      wasRaw ??= terminal.isRaw === true;
      terminal.setRawMode?.(isRaw);
      if (failure !== undefined) throw failure;
    },
    close() {
      if (stream === undefined) return;
      if (wasRaw !== undefined) stream.setRawMode?.(wasRaw);
      wasRaw = undefined;
      stream.pause();
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('close', onEnd);
      waiters.length = 0;
    },
  };
};

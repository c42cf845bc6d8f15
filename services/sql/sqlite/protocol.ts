import type { ErrorKind } from '../../../runtime/errors.ts';
import type { SqlParam } from '../driver.ts';
import type { LogName, LogRequest } from './log-protocol.ts';

/** What the thread that opened the database is asked for, one at a time and in order. */
export type WorkerOperation =
  | {
      readonly kind: 'query' | 'execute';
      readonly text: string;
      readonly params: readonly SqlParam[];
      /** A transaction must be open. */
      readonly isWithin?: boolean;
    }
  | { readonly kind: 'prepare'; readonly text: string }
  | { readonly kind: 'commit'; readonly isWithin?: boolean }
  /** The changes of the open transaction are made in this trace. */
  | { readonly kind: 'mark'; readonly traceparent: string }
  /** Ends a transaction that is still open, and what it had switched. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'close' };
export type WorkerRequest = (WorkerOperation | LogRequest) & { readonly id: number };

export interface WorkerFailure {
  readonly message: string;
  /** SQLite's extended result code; undefined for what is not SQLite's. */
  readonly code: number | undefined;
  /** Of what is refused before SQLite is asked; it is never worth another try. */
  readonly kind?: ErrorKind;
}
export type WorkerReply =
  /** Of the type that the operation has. */
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly failure: WorkerFailure };
/** More of a log is committed. */
export interface WorkerNotice {
  readonly log: LogName;
  readonly committed: number;
}
/** Sent once, when the database has been opened. */
export type WorkerOpened = { readonly opened: true } | { readonly opened: false; readonly failure: WorkerFailure };

export interface WorkerData {
  /** Absolute, or `:memory:`. */
  readonly file: string;
  /** Milliseconds that a statement waits for the lock of another program. */
  readonly busyTimeoutMs: number;
}

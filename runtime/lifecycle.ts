import type { CallError } from './errors.ts';
import type { RetryDelay } from './retry-delay.ts';

/** A part of the program that is started and stopped. Every step is optional and idempotent. */
export interface Component {
  /** The entry id of a service, or `telemetry`, `otel`, `logs` ... */
  readonly name: string;
  /** Names of components that must have started before this one; it is stopped before them. */
  readonly needs: readonly string[];
  /** `required` (default): a start that fails ends the program; `optional`: it is only logged. */
  readonly startup?: 'required' | 'optional';
  /** Milliseconds that one start may take; default 10,000. */
  readonly startTimeoutMs?: number;
  /** Milliseconds that `drain` and `stop` may take; default 10,000. */
  readonly stopTimeoutMs?: number;
  /** `false`: started only when something that starts needs it. Default true. */
  readonly autoStart?: boolean;
  /** How it is started again after it has ended by itself, or after a start that failed where it is optional. Absent: never. */
  readonly restart?: RestartPolicy;
  /** Take what you need. */
  start?(life?: ComponentLife): Promise<void>;
  /** Let outside work in. */
  open?(): Promise<void>;
  /** Let no more in, finish what is in. */
  drain?(deadline: AbortSignal): Promise<void>;
  /** Give back. Works after a start that failed half way, and without a start. */
  stop?(): Promise<void>;
}

/** Delays before a failed component is started again (processes-declarations.md, section 5). */
export interface RestartPolicy extends RetryDelay {
  /** Milliseconds of running after which the attempts are counted from the start again. */
  readonly stableThresholdMs: number;
  /** Restarts in a row before it has failed for good; 0 = without end. */
  readonly maxAttempts: number;
}

/** What a component tells of the life that one start began. */
export interface ComponentLife {
  /** 1 for the first start; each restart counts one up. */
  readonly attempt: number;
  /**
   * What was started has ended by itself: without an error it is `exited` and stays so; with one it is started again as
   * its policy says, unless the error is terminal (its `retryable` is false, or it is Canceled). Further calls, and those after a stop, do nothing.
   */
  ended(error?: CallError): void;
}

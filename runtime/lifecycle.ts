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
  /** Take what you need. */
  start?(): Promise<void>;
  /** Let outside work in. */
  open?(): Promise<void>;
  /** Let no more in, finish what is in. */
  drain?(deadline: AbortSignal): Promise<void>;
  /** Give back. Works after a start that failed half way, and without a start. */
  stop?(): Promise<void>;
}

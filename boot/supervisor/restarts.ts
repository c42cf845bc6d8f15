import type { Cancel, Clock } from '../../runtime/clock.ts';
import { CallError } from '../../runtime/errors.ts';
import type { RestartPolicy } from '../../runtime/lifecycle.ts';
import { retryDelayMs } from '../../runtime/retry-delay.ts';

/** Counts the restarts of one component, and says how long to wait before each (processes-declarations.md, section 5). */
export interface Restarts {
  /** Since it last ran for `stable_threshold`, the one that is waited for included. */
  readonly count: number;
  /** Counts a failure; milliseconds to wait before the next attempt, undefined where there is none any more. */
  afterFailure(error: unknown): number | undefined;
  /** It runs. `onStable` is told, once, when it has done so long enough for the count to begin again; not where it is 0. */
  running(onStable: (count: number) => void): void;
  /** It runs no longer, for whatever reason. */
  over(): void;
}

/** Cancelled, or not worth another try by its own word. */
const isTerminal = (error: unknown): boolean =>
  error instanceof CallError && (error.kind === 'Canceled' || error.retryable === false);

export const createRestarts = (policy: RestartPolicy | undefined, clock: Clock, random: () => number): Restarts => {
  let count = 0;
  let cancelStable: Cancel = () => {};
  return {
    get count() {
      return count;
    },
    afterFailure(error) {
      cancelStable();
      if (policy === undefined || isTerminal(error)) return undefined;
      if (policy.maxAttempts > 0 && count >= policy.maxAttempts) return undefined;
      count += 1;
      return Math.max(0, retryDelayMs(policy, count + 1, random));
    },
    running(onStable) {
      if (policy === undefined || count === 0) return;
      cancelStable = clock.after(
        policy.stableThresholdMs,
        () => {
          const past = count;
          count = 0;
          onStable(past);
        },
        { unref: true },
      );
    },
    over: () => cancelStable(),
  };
};

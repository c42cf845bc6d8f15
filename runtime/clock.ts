// Not the global one: that is a getter, which V8 does not always put into its callers. It took a tenth of a metered call.
import { performance } from 'node:perf_hooks';

/** The only place that reads time (test/layout.test.ts checks it). Tests pass a clock of their own. */
export interface Clock {
  /** Milliseconds from a monotonic source, with fractions: for durations. */
  now(): number;
  /** Milliseconds since the epoch, with fractions, never running backwards: for timestamps. */
  wall(): number;
  /**
   * Milliseconds since the epoch as the system's clock says now: it follows a clock that is set and a machine that slept, so
   * that it may jump both ways. For what happens at a time of day; for everything else there is `wall`.
   */
  systemTime(): number;
  /** Runs `body` after `ms`; returns what cancels it. `unref` timers don't keep the program alive. */
  after(ms: number, body: () => void, options?: { unref?: boolean }): Cancel;
  /** Runs `body` every `ms` until cancelled. */
  every(ms: number, body: () => void, options?: { unref?: boolean }): Cancel;
}
export type Cancel = () => void;

/** `setTimeout` fires at once for anything above this many milliseconds, so longer waits are taken in steps. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Read once: it never changes, and reading it costs as much as reading the time. */
const { timeOrigin } = performance;

export const systemClock = (): Clock => ({
  now: () => performance.now(),
  wall: () => timeOrigin + performance.now(),
  systemTime: () => Date.now(),
  after(ms, body, options) {
    const due = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = due - performance.now();
      // Node.js cuts fractions off: a whole millisecond more, so that nothing is early.
      const wait = Math.min(Math.ceil(Math.max(left, 0)), LONGEST_TIMEOUT_MS);
      timer = setTimeout(left > LONGEST_TIMEOUT_MS ? arm : body, wait);
      if (options?.unref === true) timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
  every(ms, body, options) {
    const timer = setInterval(body, Math.min(ms, LONGEST_TIMEOUT_MS));
    if (options?.unref === true) timer.unref();
    return () => clearInterval(timer);
  },
});

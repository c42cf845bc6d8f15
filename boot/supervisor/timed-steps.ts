import type { Clock } from '../../runtime/clock.ts';
import type { Component, ComponentLife } from '../../runtime/lifecycle.ts';
import { within } from './within.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** What a component may need to end once its drain deadline has passed: it has been told, but has yet to answer. */
const DRAIN_GRACE_MS = 1000;

/** The steps of a component, each within its limit. All reject with what the step failed with, or with the limit's text. */
export interface TimedSteps {
  start(life: ComponentLife): Promise<void>;
  open(): Promise<void>;
  /** Its own limit, or `withinMs` where that is less. */
  drain(withinMs: number): Promise<void>;
  stop(withinMs: number): Promise<void>;
}

export const timedSteps = (component: Component, clock: Clock): TimedSteps => {
  const startMs = component.startTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const stopMs = component.stopTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const startText = `start_timeout of ${startMs} ms has passed`;
  // All are asynchronous, so that a step that throws at once rejects like any other.
  return {
    start: async (life) => within(clock, startMs, component.start?.(life), startText),
    open: async () => within(clock, startMs, component.open?.(), startText),
    async drain(withinMs) {
      const limit = Math.min(stopMs, withinMs);
      const deadline = new AbortController();
      const text = `not drained within ${Math.round(limit)} ms`;
      const cancel = clock.after(limit, () => deadline.abort(new Error(text)));
      try {
        await within(clock, limit + DRAIN_GRACE_MS, component.drain?.(deadline.signal), text);
      } finally {
        cancel();
      }
    },
    async stop(withinMs) {
      const limit = Math.max(0, Math.min(stopMs, withinMs));
      await within(clock, limit, component.stop?.(), `stop_timeout of ${Math.round(limit)} ms has passed`);
    },
  };
};

import type { Cancel, Clock } from '../../../runtime/clock.ts';

/** A clock that moves when told to; due timers run in order. Wall time is monotonic time plus `epoch`. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

export const EPOCH_MS = 1_700_000_000_000;

export const manualClock = (): ManualClock => {
  let now = 0;
  let timers: { due: number; body: () => void; everyMs: number | undefined }[] = [];
  const add = (ms: number, body: () => void, everyMs?: number): Cancel => {
    const timer = { due: now + ms, body, everyMs };
    timers.push(timer);
    return () => {
      timers = timers.filter((one) => one !== timer);
    };
  };
  return {
    now: () => now,
    wall: () => EPOCH_MS + now,
    systemTime: () => EPOCH_MS + now,
    after: (ms, body) => add(ms, body),
    every: (ms, body) => add(ms, body, ms),
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        now = next.due;
        if (next.everyMs === undefined) timers = timers.filter((timer) => timer !== next);
        else next.due += next.everyMs;
        next.body();
      }
      now = end;
    },
  };
};

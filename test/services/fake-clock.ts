import type { Clock } from '../../runtime/clock.ts';

/** A clock that stands still until `pass` is called; timers fire in order of their due time. */
export const fakeClock = (
  startMs = 1_700_000_000_000,
): Clock & { pass(ms: number): void; set(byMs: number): void; readonly timers: number } => {
  const timers = new Map<object, { due: number; body: () => void; every?: number }>();
  let time = 0;
  let setBy = 0;
  const add = (due: number, body: () => void, every?: number) => {
    const key = {};
    timers.set(key, { due, body, every });
    return () => void timers.delete(key);
  };
  return {
    now: () => time,
    wall: () => startMs + time,
    systemTime: () => startMs + setBy + time,
    after: (ms, body) => add(time + ms, body),
    every: (ms, body) => add(time + ms, body, ms),
    /** Somebody sets the system's clock, forward or back. */
    set(byMs) {
      setBy += byMs;
    },
    get timers() {
      return timers.size;
    },
    pass(ms) {
      const end = time + ms;
      for (;;) {
        const next = [...timers].filter(([, { due }]) => due <= end).sort(([, a], [, b]) => a.due - b.due)[0];
        if (next === undefined) break;
        const [key, timer] = next;
        time = timer.due;
        if (timer.every === undefined) timers.delete(key);
        else timer.due += timer.every;
        timer.body();
      }
      time = end;
    },
  };
};

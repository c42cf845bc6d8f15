import type { Clock } from '../../../../runtime/clock.ts';

/** A clock whose timers fire when it is moved past them. */
export const timerClock = (): Clock & { advance(ms: number): void; readonly timers: number } => {
  let now = 0;
  const due = new Map<object, { at: number; body: () => void }>();
  return {
    now: () => now,
    wall: () => now,
    systemTime: () => now,
    after(ms, body) {
      const key = {};
      due.set(key, { at: now + ms, body });
      return () => void due.delete(key);
    },
    every: () => {
      throw new Error('not used here');
    },
    advance(ms) {
      now += ms;
      for (const [key, { at, body }] of [...due]) {
        if (at > now || !due.delete(key)) continue;
        body();
      }
    },
    get timers() {
      return due.size;
    },
  };
};

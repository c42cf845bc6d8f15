import type { Cancel, Clock } from '../../runtime/clock.ts';

/** The `jitter` of a schedule: what it is given happens after a random time up to it. */
export interface Delays {
  /** `drop` in place of `body` where `clear` comes first. */
  add(body: () => void, drop: () => void): void;
  clear(): void;
}

export const randomDelays = (clock: Clock, longestMs: number, random: () => number): Delays => {
  const waiting = new Map<Cancel, () => void>();
  return {
    add(body, drop) {
      if (longestMs === 0) return body();
      const cancel = clock.after(random() * longestMs, () => {
        waiting.delete(cancel);
        body();
      });
      waiting.set(cancel, drop);
    },
    clear() {
      for (const [cancel, drop] of waiting) {
        cancel();
        drop();
      }
      waiting.clear();
    },
  };
};

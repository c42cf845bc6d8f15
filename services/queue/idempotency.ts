import type { Clock } from '../../runtime/clock.ts';

/** Keys of a queue's publishes, each remembered for one window. */
export interface IdempotencyKeys {
  /** False when the key was claimed within the window. */
  claim(key: string): boolean;
  /** Forgets a key whose message was not stored. */
  release(key: string): void;
}

export const idempotencyKeys = (clock: Clock, windowMs: number): IdempotencyKeys => {
  /** Key to the clock.now() at which it is forgotten; the first to be forgotten comes first. */
  const keys = new Map<string, number>();
  return {
    claim(key) {
      const now = clock.now();
      for (const [old, until] of keys) {
        if (until > now) break;
        keys.delete(old);
      }
      if (keys.has(key)) return false;
      keys.set(key, now + windowMs);
      return true;
    },
    release(key) {
      keys.delete(key);
    },
  };
};

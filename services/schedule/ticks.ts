import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { NextTime } from './cron.ts';

/** Says when it is time. A tick that comes late (a busy event loop, a machine that slept) comes once, however many it stands for. */
export interface Ticks {
  /** `due`: when it should have come, in milliseconds since the epoch; of `everyTicks` by a clock of its own. */
  start(onTick: (due: number) => void): void;
  /** Idempotent. */
  stop(): void;
}

/** Every `everyMs` from the start on, by a clock that nobody sets. Times are multiples of it: no tick's lateness adds to the next. */
export const everyTicks = (clock: Clock, everyMs: number): Ticks => {
  let cancel: Cancel = () => {};
  return {
    start(onTick) {
      cancel();
      const began = clock.now();
      const arm = (count: number): void => {
        cancel = clock.after(Math.max(0, began + count * everyMs - clock.now()), () => {
          arm(Math.max(count, Math.floor((clock.now() - began) / everyMs)) + 1);
          onTick(began + count * everyMs);
        });
      };
      arm(1);
    },
    stop: () => cancel(),
  };
};

/** Multiples of an interval since the epoch: the same for all machines, whenever they have started. */
export const everyTimes =
  (everyMs: number): NextTime =>
  (afterMs) =>
    Math.ceil((Math.floor(afterMs / everyMs) + 1) * everyMs);

/** The system's clock may be set while we wait: it is looked at this often. */
const LOOK_MS = 60_000;
/** Less than this is the clock being steered, or a timer that was early, and changes nothing. */
const SET_BACK_MS = 1000;

/**
 * At the times that `next` tells, by the system's clock. Set forward past a tick, that tick comes at once. Set back, the
 * schedule goes on by the new time, but never sooner than the pattern's own distance from the last tick: so nothing comes
 * twice because of it, and nothing waits until the old time is reached again.
 */
export const cronTicks = (clock: Clock, next: NextTime): Ticks => {
  let cancel: Cancel = () => {};
  return {
    start(onTick) {
      cancel();
      let due = next(clock.systemTime());
      let offset = clock.systemTime() - clock.now();
      /** The steady time before which no tick may come. */
      let earliest = Number.NEGATIVE_INFINITY;

      const arm = (): void => {
        cancel = clock.after(Math.min(Math.max(due - clock.systemTime(), 0), LOOK_MS), look);
      };
      const look = (): void => {
        const time = clock.systemTime();
        const now = clock.now();
        const isDue = time >= due;
        const tick = due;
        if (isDue) {
          earliest = now - (time - due) + next(due) - due;
          due = next(time);
        } else if (time - now < offset - SET_BACK_MS) {
          // `next` is strictly later than what it is given.
          due = next(Math.max(time, time + earliest - now - 1));
        }
        offset = time - now;
        arm();
        if (isDue) onTick(tick);
      };
      arm();
    },
    stop: () => cancel(),
  };
};

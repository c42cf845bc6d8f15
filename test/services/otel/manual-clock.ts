import type { Clock } from '../../../runtime/clock.ts';

/** A clock that moves when it is told to; timers are not part of it. */
export const manualClock = (startMs = 1_000_000): Clock & { advance(ms: number): void } => {
  let elapsed = 0;
  const noTimers = (): never => {
    throw new Error('manualClock has no timers');
  };
  return {
    now: () => elapsed,
    wall: () => startMs + elapsed,
    systemTime: () => startMs + elapsed,
    after: noTimers,
    every: noTimers,
    advance(ms) {
      elapsed += ms;
    },
  };
};

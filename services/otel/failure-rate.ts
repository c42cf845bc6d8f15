/** One second of the window. */
interface Slot {
  second: number;
  calls: number;
  failures: number;
}

/** The share of failed calls of the last minute. */
export interface FailureRate {
  record(nowMs: number, failed: boolean): void;
  /** 0..1; 0 when nothing was called within the window, also right after the start. */
  read(nowMs: number): number;
}

const WINDOW_SECONDS = 60;

/** Sixty slots, each of a second, reused in turn: memory does not depend on how often anybody calls or reads. */
export const failureRate = (): FailureRate => {
  const slots: Slot[] = Array.from({ length: WINDOW_SECONDS }, () => ({ second: -1, calls: 0, failures: 0 }));
  return {
    record(nowMs, failed) {
      const second = Math.floor(nowMs / 1000);
      const slot = slots[second % WINDOW_SECONDS];
      if (slot === undefined) return; // unreachable: a monotonic clock is never negative
      if (slot.second !== second) {
        slot.second = second;
        slot.calls = 0;
        slot.failures = 0;
      }
      slot.calls++;
      if (failed) slot.failures++;
    },
    read(nowMs) {
      const oldest = Math.floor(nowMs / 1000) - WINDOW_SECONDS;
      let calls = 0;
      let failures = 0;
      for (const slot of slots) {
        if (slot.second <= oldest) continue;
        calls += slot.calls;
        failures += slot.failures;
      }
      return calls === 0 ? 0 : failures / calls;
    },
  };
};

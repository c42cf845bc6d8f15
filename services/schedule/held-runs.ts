import { isPromise } from '../../runtime/call.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ScheduleConfig } from './kinds.ts';
import { answerOf, LEASE_MS, type TickLock } from './lock.ts';

export interface HeldRunsOptions {
  readonly clock: Clock;
  readonly lock: TickLock;
  readonly overlap: ScheduleConfig['overlap'];
  /** Never throws or rejects. */
  readonly run: () => void | Promise<void>;
  readonly failed: (error: unknown) => void;
  /** The machine was silent for so long that another one may run beside it. */
  readonly lost: () => void;
}

/** Runs of ticks that this machine was given. Where they must not overlap, others are told that one goes on, and when it has ended. */
export interface HeldRuns {
  /** The tick is ours from now on; `begin` once it is time to run. */
  hold(holder: string): Held;
  open(): void;
  /** What is queued is left to other machines from now on. */
  close(): void;
  idle(): Promise<void>;
}
export interface Held {
  begin(): void;
  /** It does not run. */
  drop(): void;
}

export const heldRuns = ({ clock, lock, overlap, run, failed, lost }: HeldRunsOptions): HeldRuns => {
  const running = new Set<Promise<void>>();
  let isClosing = false;

  const track = (work: Promise<void>): void => {
    running.add(work);
    void work.then(() => running.delete(work));
  };
  const renewing = (holder: string): (() => void) => {
    if (overlap === 'allow') return () => {};
    let isLost = false;
    return clock.every(
      LEASE_MS / 3,
      () => {
        answerOf(clock, (signal) => lock.renew(holder, signal)).then((isHeld) => {
          if (!isHeld && !isLost) lost();
          isLost = !isHeld;
        }, failed);
      },
      { unref: true },
    );
  };
  /** Whether another one, which was queued, is ours. */
  const released = async (holder: string): Promise<boolean> => {
    if (overlap === 'allow') return false;
    try {
      const mayGoOn = overlap === 'queue' && !isClosing;
      return await answerOf(clock, (signal) => lock.release(holder, mayGoOn, signal));
    } catch (error) {
      failed(error); // it is free after the lease
      return false;
    }
  };

  return {
    hold(holder) {
      const stopRenewing = renewing(holder);
      const end = async (): Promise<void> => {
        stopRenewing();
        await released(holder);
      };
      const begin = async (): Promise<void> => {
        do {
          const out = run();
          if (isPromise(out)) await out;
        } while (await released(holder));
        stopRenewing();
      };
      return { begin: () => track(begin()), drop: () => track(end()) };
    },
    open() {
      isClosing = false;
    },
    close() {
      isClosing = true;
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
};

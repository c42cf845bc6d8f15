import { isPromise } from '../../runtime/call.ts';
import type { ScheduleConfig } from './kinds.ts';

/** What one schedule has under way. */
export interface Runs {
  /** A tick: runs, waits or is skipped, as `overlap` says. */
  add(): void;
  /** The one that waits is skipped. */
  clear(): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

/** `run` never throws or rejects: whoever makes it has reported what went wrong. */
export const overlappingRuns = (
  overlap: ScheduleConfig['overlap'],
  run: () => void | Promise<void>,
  skip: (reason: string) => void,
): Runs => {
  const running = new Set<Promise<void>>();
  let isWaiting = false;

  const begin = (): void => {
    const out = run();
    if (!isPromise(out)) return; // it has ended already
    const ended: Promise<void> = out.then(() => {
      running.delete(ended);
      if (!isWaiting) return;
      isWaiting = false;
      begin();
    });
    running.add(ended);
  };

  return {
    add() {
      if (running.size === 0 || overlap === 'allow') begin();
      else if (overlap === 'queue' && !isWaiting) isWaiting = true;
      else skip(overlap === 'queue' ? 'one runs and one waits' : 'the run before has not ended');
    },
    clear() {
      if (!isWaiting) return;
      isWaiting = false;
      skip('the schedule is stopping');
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
};

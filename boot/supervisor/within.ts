import type { Clock } from '../../runtime/clock.ts';
import { waitAtMost } from '../../runtime/deadline.ts';

/** Rejects with `text` when `work` takes longer; the work itself goes on, and nobody waits for how it ends. */
export const within = async (
  clock: Clock,
  ms: number,
  work: Promise<unknown> | undefined,
  text: string,
): Promise<void> => {
  if (work !== undefined && !(await waitAtMost(clock, ms, work)).inTime) throw new Error(text);
};

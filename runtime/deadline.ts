import type { Clock } from './clock.ts';

/** How a wait has ended. */
export type Waited<T> = { readonly inTime: true; readonly value: T } | { readonly inTime: false };

const LATE = { inTime: false } as const;

/**
 * Waits for `work`, but not longer than `ms`. The work itself goes on, and how it ends after its time is of no interest: a late
 * rejection is nobody's. One in time rejects the wait. `unref`: the wait does not keep the program alive.
 */
export const waitAtMost = async <T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  options?: { unref?: boolean },
): Promise<Waited<T>> => {
  const late = Promise.withResolvers<Waited<T>>();
  const cancel = clock.after(ms, () => late.resolve(LATE), options);
  try {
    return await Promise.race([work.then((value) => ({ inTime: true, value }) as const), late.promise]);
  } finally {
    cancel();
  }
};

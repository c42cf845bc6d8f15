import type { Clock } from '../../runtime/clock.ts';

/** Rejects with `text` when `work` takes longer; the work itself goes on, and nobody waits for how it ends. */
export const within = async (
  clock: Clock,
  ms: number,
  work: Promise<unknown> | undefined,
  text: string,
): Promise<void> => {
  if (work === undefined) return;
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => reject(new Error(text)));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    cancel();
  }
};

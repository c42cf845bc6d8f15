import { setTimeout as wait } from 'node:timers/promises';

/** 16 times what the slowest of these waits takes on an idle machine (rule 138). */
export const DEADLINE_MS = 30_000;

/**
 * Asks until the answer is neither undefined nor false, and returns it.
 * @throws Error naming `what` and the last failure of `ask` when `deadlineMs` has passed. An `ask` that throws is asked again.
 */
export const poll = async <T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = DEADLINE_MS, everyMs = 20 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<T> => {
  const due = performance.now() + deadlineMs;
  for (;;) {
    let failure = '';
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      failure = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > due) throw new Error(`${what}: not within ${deadlineMs} ms${failure}`);
    await wait(everyMs);
  }
};

import type { Cancel, Clock } from '../../runtime/clock.ts';

const LONG_MS = 60 * 60 * 1000;

/** Keeps the program alive until the returned function is called: processes that wait for messages alone do not. */
export const holdOpen = (clock: Clock): Cancel => clock.every(LONG_MS, () => {});

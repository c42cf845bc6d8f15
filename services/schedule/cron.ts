import { Cron } from 'croner';
import { messageOf } from '../../runtime/errors.ts';

/** Ticks come round every year but for leap days, so that a pattern without one from here on has none at all. */
const ANY_TIME = new Date(0);

/** What is wrong with a pattern; undefined: nothing. */
export const cronProblem = (pattern: string): string | undefined => {
  // croner also takes a single date, nicknames and a field for the year.
  const fields = pattern.trim() === '' ? 0 : pattern.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) {
    return `invalid cron '${pattern}': expected five fields (minute, hour, day, month, weekday), or six with the seconds first, got ${fields}`;
  }
  try {
    const next = new Cron(pattern, { timezone: 'UTC' }).nextRun(ANY_TIME);
    return next === null ? `invalid cron '${pattern}': there is no such day in any year` : undefined;
  } catch (error) {
    return `invalid cron '${pattern}': ${messageOf(error)}`;
  }
};

/** Whether Node.js knows a time zone of this name (IANA, such as `Europe/Berlin`). */
export const isTimezone = (name: string): boolean => {
  if (name === '') return false; // to croner it means the machine's own
  try {
    new Cron('* * * * *', { timezone: name }).nextRun(ANY_TIME);
    return true;
  } catch {
    // croner has no other way to ask.
    return false;
  }
};

/** The first time of a valid pattern after a given one, both in milliseconds since the epoch. */
export type NextTime = (afterMs: number) => number;

/**
 * Where the clocks change, croner decides: a pattern with one time of day runs once on that day, at the end of the gap
 * where its time does not exist; every other pattern goes by the hands of the clock and so runs in both hours of an overlap.
 */
export const cronTimes = (pattern: string, timezone: string): NextTime => {
  const cron = new Cron(pattern, { timezone }); // without a function: it computes, and has no timer
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? Number.POSITIVE_INFINITY;
};

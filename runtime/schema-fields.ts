import { z } from 'zod';
import { parseDurationMs } from './duration.ts';

/** Building blocks of entry schemas. Every message given is shown verbatim, whatever is wrong with the value. */

export interface DurationRule {
  /** Instead of the default text. */
  readonly error?: string;
  /** Shown for a value below zero, e.g. `cleanup interval must be non-negative`. Absent: negative values are refused with a default text. */
  readonly negative?: string;
}

/**
 * A duration of an entry in milliseconds: Go's text (`1m30s`) or whole nanoseconds (declarations.md, section 4; processes-declarations.md, section 5).
 */
export const duration = (rule: DurationRule = {}) =>
  z.union([z.string(), z.number()], { error: rule.error }).transform((value, ctx): number => {
    const ms = typeof value === 'string' ? parseDurationMs(value) : value / 1e6;
    if (ms === undefined || (typeof value === 'number' && !Number.isInteger(value))) {
      const message = rule.error ?? `expected a duration such as 250ms, 5s or 1h, got ${JSON.stringify(value)}`;
      ctx.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    }
    if (ms < 0) {
      const message = rule.negative ?? `expected a duration of at least 0, got ${JSON.stringify(value)}`;
      ctx.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    }
    return ms;
  });

/** A text that must be given and must not be empty: `required('source is required')`. */
export const required = (message: string) => z.string({ error: message }).min(1, { error: message });

const got = (expected: string) => (issue: { input?: unknown }) => `${expected}, got ${JSON.stringify(issue.input)}`;

/** A whole number within what a double holds exactly; `message` replaces the default text. */
export const wholeNumber = (message?: string) =>
  z
    .number({ error: message })
    .refine((n) => Number.isSafeInteger(n), { error: message ?? got('expected a whole number') });

/** `message` is for values below 0; a value of another type gets the default text of its position. */
export const nonNegativeInt = (message?: string) =>
  z
    .number()
    .refine((n) => Number.isSafeInteger(n), { error: got('expected a whole number'), abort: true })
    .refine((n) => n >= 0, { error: message ?? got('expected a whole number of at least 0') });

import { z } from 'zod';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, required } from '../../runtime/schema-fields.ts';
import { cronProblem, isTimezone } from './cron.ts';

const cron = z.string().superRefine((pattern, ctx) => {
  const message = cronProblem(pattern);
  if (message !== undefined) ctx.addIssue({ code: 'custom', message });
});

const timezone = z.string().refine(isTimezone, {
  error: ({ input }) => `unknown timezone: ${JSON.stringify(input)}. Use an IANA name such as Europe/Berlin.`,
});

/** A bare number is nanoseconds, which few who write `every: 5` mean. */
const every = duration().refine((ms) => ms >= 1, {
  error: 'every must be at least 1ms. Write a duration with its unit, e.g. `every: 5s`.',
});

/** extensions.md, section 6. Durations come out in milliseconds. */
export const processSchedule = z
  .object({
    cron: cron.optional(),
    timezone: timezone.default('UTC'),
    every: every.optional(),
    func: required('func must be the id of a function').optional(),
    process: required('process must be the id of a process.lua').optional(),
    host: required('host must be the id of a process.host').optional(),
    input: z.array(z.unknown()).default([]),
    overlap: z.enum(['skip', 'allow', 'queue']).default('skip'),
    jitter: duration().default(0),
    lock: required('lock must be the id of a store.redis or db.sql.postgres').optional(),
    lifecycle: lifecycleSchema,
  })
  .superRefine((schedule, ctx) => {
    const refuse = (message: string, ...path: string[]): void => ctx.addIssue({ code: 'custom', message, path });
    if ((schedule.cron === undefined) === (schedule.every === undefined)) {
      refuse('exactly one of cron and every is required');
    }
    if ((schedule.func === undefined) === (schedule.process === undefined)) {
      refuse('exactly one of func and process is required');
    } else if (schedule.process !== undefined && schedule.host === undefined) {
      refuse('host is required', 'host');
    } else if (schedule.func !== undefined && schedule.host !== undefined) {
      refuse('host goes with process, not with func: a process.lua that func names has a default host', 'host');
    }
  });
export type ScheduleConfig = z.output<typeof processSchedule>;

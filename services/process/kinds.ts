import { z } from 'zod';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { codeSchema, limitsSchema, optionsAsWritten } from '../../runtime/lua/code-schema.ts';
import { nonNegativeInt } from '../../runtime/schema-fields.ts';

const required = (field: string) =>
  z.string({ error: `${field} is required` }).min(1, { error: `${field} is required` });
const positive = (field: string) =>
  z
    .number()
    .int()
    .refine((value) => value > 0, { error: `${field} must be greater than 0` });

const command = z.looseObject({ name: z.string().min(1), short: z.string().default(''), main: z.unknown().optional() });

/** processes-declarations.md, section 2. A chunk that returns a function needs no `method`. */
export const processLua = codeSchema.extend({
  method: z.string().default(''),
  limits: limitsSchema.default({}),
  meta: z
    .looseObject({
      options: optionsAsWritten.default({}),
      default_host: z.string().optional(),
      command: command.optional(),
    })
    .prefault({}),
});
export type ProcessConfig = z.output<typeof processLua>;

/** Its degree of parallelism and its queues are advice (section 3): processes run interleaved on one thread. */
export const processHost = z.object({
  host: z
    .looseObject({
      workers: positive('workers').optional(),
      queue_size: positive('queue_size').default(1024),
      local_queue_size: positive('local_queue_size').default(256),
      max_mailbox: nonNegativeInt().default(0),
      max_processes: nonNegativeInt().default(0),
    })
    .prefault({}),
  lifecycle: lifecycleSchema,
});
export type HostConfig = z.output<typeof processHost>;

export const terminalHost = z.object({ hide_logs: z.boolean().default(false), lifecycle: lifecycleSchema });
export type TerminalHostConfig = z.output<typeof terminalHost>;

export const processService = z.object({
  process: required('process'),
  host: required('host'),
  input: z.array(z.unknown()).default([]),
  lifecycle: lifecycleSchema,
});
export type ServiceConfig = z.output<typeof processService>;

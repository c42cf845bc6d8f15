import { z } from 'zod';
import { callOptionsSchema } from '../../runtime/call-options.ts';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt, required } from '../../runtime/schema-fields.ts';
import { checkPostgresFields, postgresFields } from '../postgres/port.ts';
import { OPS } from './change.ts';

/** 0 means the default. */
const limit = (name: string, byDefault: number) =>
  nonNegativeInt(`${name} must be non-negative`)
    .default(byDefault)
    .transform((n) => (n === 0 ? byDefault : n));
const subscriptions = z
  .object({
    max_subscriptions: limit('max_subscriptions', 1024),
    max_snapshots: limit('max_snapshots', 4),
    max_bytes: limit('max_bytes', 268_435_456),
  })
  .prefault({});

const interval = (byDefault: string) => {
  const error = 'interval must be a non-negative duration (e.g. 10s)';
  return duration({ error, negative: error }).prefault(byDefault);
};

const text = z.string().min(1).optional();
/** declarations.md, section 10. */
export const cdcPostgres = z
  .object({
    ...postgresFields,
    slot_name: required('slot_name is required').regex(/^[a-z0-9_]{1,63}$/, {
      error: 'slot_name may hold a-z, 0-9 and _, and at most 63 of them',
    }),
    publication: text,
    tables: z.array(z.string().trim().min(1)).min(1).optional(),
    event_system: z.string().min(1).default('postgres_cdc'),
    snapshot: z.boolean().default(false),
    streaming: z.boolean().default(false),
    temporary: z.boolean().default(false),
    failover: z.boolean().default(false),
    standby_interval: interval('10s'),
    status_interval: interval('30s'),
    snapshot_fetch_size: nonNegativeInt('snapshot_fetch_size must be non-negative').default(1000),
    subscriptions,
    lifecycle: lifecycleSchema,
  })
  .superRefine((config, ctx) => {
    const refuse = (message: string, ...path: string[]): void => ctx.addIssue({ code: 'custom', message, path });
    checkPostgresFields(config, ctx);
    if (config.publication === undefined && config.tables === undefined) {
      refuse('publication or tables is required', 'publication');
    }
    if (config.failover && config.temporary) refuse('failover cannot be set on a temporary slot', 'failover');
  });
export type PostgresConfig = z.output<typeof cdcPostgres>;

/** declarations.md, section 10. */
export const cdcSqlite = z.object({
  db_resource: required('db_resource is required'),
  name: text,
  tables: z.array(z.string().trim().min(1)).min(1).optional(),
  snapshot: z.boolean().default(false),
  durable: z.boolean().default(false),
  event_system: z.string().min(1).default('sqlite_cdc'),
  status_interval: interval('30s'),
  subscriptions,
  lifecycle: lifecycleSchema,
});
export type SqliteConfig = z.output<typeof cdcSqlite>;

/** extensions.md, section 5. */
export const cdcConsumer = z
  .object({
    source: required('source is required'),
    func: text,
    queue: text,
    tables: z.array(z.string().trim().min(1)).min(1).optional(),
    ops: z.array(z.enum(OPS)).min(1).optional(),
    concurrency: z.number().int().min(1, { error: 'concurrency must be at least 1' }).max(1000).default(1),
    /** As in section 1, but with `max_attempts` 0, for ever. */
    retry: callOptionsSchema.shape.retry
      .unwrap()
      .extend({ max_attempts: nonNegativeInt().default(0) })
      .prefault({}),
    on_failure: z.enum(['stop', 'dead_letter', 'skip']).default('stop'),
    dead_letter: z.object({ queue: required('dead_letter.queue is required') }).optional(),
    lifecycle: lifecycleSchema,
  })
  .superRefine((config, ctx) => {
    const refuse = (message: string, ...path: string[]): void => ctx.addIssue({ code: 'custom', message, path });
    if ((config.func === undefined) === (config.queue === undefined)) {
      refuse('exactly one of func and queue is required');
    }
    if (config.on_failure === 'dead_letter' && config.dead_letter === undefined) {
      refuse('dead_letter.queue is required', 'dead_letter', 'queue');
    }
  });
export type ConsumerConfig = z.output<typeof cdcConsumer>;

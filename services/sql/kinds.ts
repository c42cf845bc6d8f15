import { z } from 'zod';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt, required } from '../../runtime/schema-fields.ts';
import { checkPostgresFields, postgresFields } from '../postgres/port.ts';

const maxLifetime = duration({ negative: 'max lifetime must be greater than 0' })
  .default(3_600_000)
  .refine((ms) => ms > 0, { error: 'max lifetime must be greater than 0' });
/** Beyond declarations.md: how long an operation waits for a free connection, and for the lock of another program. */
const acquireTimeout = duration().default(30_000);

/** declarations.md, section 8. */
export const sqlite = z.object({
  file: required('file path is required'),
  pool: z
    .object({
      max_lifetime: maxLifetime,
      acquire_timeout: acquireTimeout,
      busy_timeout: duration().default(5_000),
    })
    .prefault({}),
  lifecycle: lifecycleSchema,
});
export type SqliteConfig = z.output<typeof sqlite>;

export const postgres = z
  .object({
    ...postgresFields,
    pool: z
      .object({
        max_open: nonNegativeInt('max open connections must be non-negative').default(0),
        max_idle: nonNegativeInt('max idle connections must be non-negative').default(0),
        max_lifetime: maxLifetime,
        acquire_timeout: acquireTimeout,
      })
      .prefault({}),
    /** extensions.md, section 8: also where no source of this program reads it. */
    trace_marks: z.boolean().default(false),
    lifecycle: lifecycleSchema,
  })
  .superRefine(checkPostgresFields);
export type PostgresConfig = z.output<typeof postgres>;

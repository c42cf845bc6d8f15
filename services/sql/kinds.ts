import { z } from 'zod';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt, required } from '../../runtime/schema-fields.ts';
import { isSslMode, SSL_MODES } from './postgres/options.ts';

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

const variable = z.string().min(1).optional();
const option = z.union([z.string(), z.number(), z.boolean()]);

export const postgres = z
  .object({
    host: z.string().default(''),
    host_env: variable,
    port: z.number().int().max(65_535).default(0),
    port_env: variable,
    database: z.string().default(''),
    database_env: variable,
    username: z.string().default(''),
    username_env: variable,
    password: z.string().default(''),
    password_env: variable,
    options: z.record(z.string(), option).default({}),
    pool: z
      .object({
        max_open: nonNegativeInt('max open connections must be non-negative').default(0),
        max_idle: nonNegativeInt('max idle connections must be non-negative').default(0),
        max_lifetime: maxLifetime,
        acquire_timeout: acquireTimeout,
      })
      .prefault({}),
    lifecycle: lifecycleSchema,
  })
  .superRefine((config, ctx) => {
    for (const key of ['host', 'database', 'username', 'password'] as const) {
      if (config[key] === '' && config[`${key}_env`] === undefined) {
        ctx.addIssue({ code: 'custom', path: [key], message: `${key} is required` });
      }
    }
    const { sslmode } = config.options;
    if (sslmode !== undefined && !isSslMode(sslmode)) {
      const message = `unknown mode '${sslmode}'. Use one of ${SSL_MODES.join(', ')}.`;
      ctx.addIssue({ code: 'custom', path: ['options', 'sslmode'], message });
    }
    if (config.port <= 0 && config.port_env === undefined) {
      ctx.addIssue({ code: 'custom', path: ['port'], message: 'port must be greater than 0' });
    }
  });
export type PostgresConfig = z.output<typeof postgres>;

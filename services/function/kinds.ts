import { z } from 'zod';
import { codeSchema, codeText, configError, limitsSchema, optionsAsWritten } from '../../runtime/lua/code-schema.ts';
import { nonNegativeInt } from '../../runtime/schema-fields.ts';

const POOL_TYPES = ['inline', 'lazy', 'static', 'adaptive'] as const;
type PoolType = (typeof POOL_TYPES)[number];

/** declarations.md, section 3.1. Zero means "not given". */
const pool = z
  .object({
    type: z
      .string()
      .refine((type) => (POOL_TYPES as readonly string[]).includes(type), {
        error: (issue) => configError(`unknown pool type: ${String(issue.input)}`),
      })
      .transform((type) => type as PoolType)
      .optional(),
    size: nonNegativeInt().default(0),
    workers: nonNegativeInt().default(0),
    buffer: nonNegativeInt().default(0),
    max_size: nonNegativeInt().default(0),
    warm_start: z.boolean().default(false),
  })
  .refine((p) => isFlexible(p) || p.size > 0, {
    path: ['size'],
    error: configError('pool.size must be greater than 0 for non-flex pools'),
  });
export type PoolConfig = z.output<typeof pool>;

/** Whether the pool may grow on demand: it names no fixed number, or a bound beside it. */
export const isFlexible = (p: { workers: number; size: number; max_size: number }): boolean =>
  p.workers === 0 && (p.size === 0 || p.max_size > 0);

export const functionLua = codeSchema.extend({
  method: codeText('method is required'),
  pool: pool.optional(),
  limits: limitsSchema.default({}),
  meta: z.looseObject({ options: optionsAsWritten.default({}) }).prefault({}),
});
export type FunctionConfig = z.output<typeof functionLua>;

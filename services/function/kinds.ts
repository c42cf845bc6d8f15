import { z } from 'zod';
import { callOptionsSchema } from '../../runtime/call-options.ts';
import { nonNegativeInt } from '../../runtime/schema-fields.ts';

/** declarations.md, section 3: what validation says of code entries begins with these words. */
const configError = (text: string): string => `invalid configuration: ${text}`;
const text = (message: string) => z.string({ error: configError(message) }).min(1, { error: configError(message) });

const moduleName = z
  .string({ error: configError('module cannot be empty') })
  .min(1, { error: configError('module cannot be empty') })
  .refine((name) => !name.includes(':'), { error: configError('module cannot have a namespace') });

/** Alias to library id. The loader has made ids absolute, so that an empty one still shows as `ns:`. */
const imports = z.record(z.string(), z.string()).superRefine((map, ctx) => {
  for (const [alias, id] of Object.entries(map)) {
    if (alias === '') ctx.addIssue({ code: 'custom', message: configError('import alias cannot be empty') });
    else if (id === '' || id.endsWith(':')) {
      ctx.addIssue({ code: 'custom', path: [alias], message: configError(`import ${alias}:name cannot be empty`) });
    }
  }
});

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

/** extensions.md, section 1: checked here, handed on as written, because `with_options` is merged over it. */
const optionsAsWritten = z.record(z.string(), z.unknown()).superRefine((value, ctx) => {
  for (const { path, message } of callOptionsSchema.safeParse(value).error?.issues ?? []) {
    ctx.addIssue({ code: 'custom', path, message });
  }
});

/** extensions.md, section 2. Absent: `lua.budget` of the boot file; 0 = none. */
const limits = z
  .object({
    instructions: nonNegativeInt(),
    cpu_ms: z.number().min(0),
    result_bytes: nonNegativeInt(),
    /** Worker pools only. */
    memory_bytes: nonNegativeInt(),
  })
  .partial();

export const libraryLua = z.object({
  source: text('source is required'),
  modules: z.array(moduleName).default([]),
  imports: imports.default({}),
});
export type LibraryConfig = z.output<typeof libraryLua>;

export const functionLua = libraryLua.extend({
  method: text('method is required'),
  pool: pool.optional(),
  limits: limits.default({}),
  meta: z.looseObject({ options: optionsAsWritten.default({}) }).prefault({}),
});
export type FunctionConfig = z.output<typeof functionLua>;

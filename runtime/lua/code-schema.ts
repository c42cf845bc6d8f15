import { z } from 'zod';
import { callOptionsSchema } from '../call-options.ts';
import type { ReferenceSpec } from '../entry.ts';
import { nonNegativeInt } from '../schema-fields.ts';

/** declarations.md, section 3: what validation says of code entries begins with these words. */
export const configError = (text: string): string => `invalid configuration: ${text}`;
export const codeText = (message: string) =>
  z.string({ error: configError(message) }).min(1, { error: configError(message) });

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

/** extensions.md, section 1: checked here, handed on as written, because `with_options` is merged over it. */
export const optionsAsWritten = z.record(z.string(), z.unknown()).superRefine((value, ctx) => {
  for (const { path, message } of callOptionsSchema.safeParse(value).error?.issues ?? []) {
    ctx.addIssue({ code: 'custom', path, message });
  }
});

/** extensions.md, section 2. Absent: `lua.budget` of the boot file; 0 = none. */
export const limitsSchema = z
  .object({
    instructions: nonNegativeInt(),
    cpu_ms: z.number().min(0),
    result_bytes: nonNegativeInt(),
    /** Worker pools only. */
    memory_bytes: nonNegativeInt(),
  })
  .partial();

/** What every kind of code has. */
export const codeSchema = z.object({
  source: codeText('source is required'),
  modules: z.array(moduleName).default([]),
  imports: imports.default({}),
});
export type CodeConfig = z.output<typeof codeSchema>;

/** What all code refers to. */
export const IMPORTS: ReferenceSpec = { path: 'imports.*', kinds: ['library.lua'] };

import { z } from 'zod';
import type { EntryKind } from '../../runtime/entry.ts';
import { required } from '../../runtime/schema-fields.ts';
import { entryKind } from '../../runtime/surface.ts';

const STORAGES = [
  'env.storage.os',
  'env.storage.memory',
  'env.storage.static',
  'env.storage.file',
  'env.storage.router',
] as const;

/** Digits as in `chmod`: YAML 1.2 reads a bare `0644` as the number 644, so the digits count, not the number. */
const fileMode = (byDefault: string) =>
  z
    .union([z.string(), z.number()])
    .transform((value, ctx): number => {
      const digits = String(value).replace(/^0o?/, '') || '0';
      if (/^[0-7]{1,3}$/.test(digits)) return Number.parseInt(digits, 8);
      ctx.issues.push({ code: 'custom', message: `expected an octal mode such as "0644", got ${value}`, input: value });
      return z.NEVER;
    })
    .prefault(byDefault);

/** `default: 8080` means the text: variables are texts always. */
const scalarText = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const NO_STORAGE_ID = 'invalid storage ID format, must have both namespace and name';

const fileSchema = z.object({
  file_path: required('file path must not be empty'),
  auto_create: z.boolean().default(false),
  file_mode: fileMode('0644'),
  dir_mode: fileMode('0755'),
});
const staticSchema = z.object({ values: z.record(z.string(), scalarText).default({}) });
const NO_MEMBERS = 'router storage must have at least one storage';
const routerSchema = z.object({
  storages: z.array(z.string(), { error: NO_MEMBERS }).min(1, { error: NO_MEMBERS }),
});
const variableSchema = z.object({
  variable: z
    .string()
    .regex(/^[A-Za-z0-9_]*$/, { error: "variable name may hold letters, digits and '_' only" })
    .default(''),
  storage: required(NO_STORAGE_ID).regex(/^[^:]+:.+$/, { error: NO_STORAGE_ID }),
  default: scalarText.prefault(''),
  readonly: z.boolean().default(false),
});
const emptySchema = z.object({});

export type FileConfig = z.output<typeof fileSchema>;
export type StaticConfig = z.output<typeof staticSchema>;
export type RouterConfig = z.output<typeof routerSchema>;
export type VariableConfig = z.output<typeof variableSchema>;

/** declarations.md, section 9. */
export const envKinds: Readonly<Record<string, EntryKind<never>>> = {
  'env.variable': entryKind({ schema: variableSchema, references: [{ path: 'storage', kinds: STORAGES }] }),
  'env.storage.os': entryKind({ schema: emptySchema }),
  'env.storage.memory': entryKind({ schema: emptySchema }),
  'env.storage.static': entryKind({ schema: staticSchema }),
  'env.storage.file': entryKind({ schema: fileSchema }),
  'env.storage.router': entryKind({ schema: routerSchema, references: [{ path: 'storages.*', kinds: STORAGES }] }),
};

import type { z } from 'zod';
import type { Path } from '../runtime/dotted-path.ts';
import { didYouMean } from '../runtime/nearest.ts';

/** One thing that a schema found wrong. */
export interface SchemaIssue {
  readonly path: Path;
  readonly message: string;
  /** The value has another type than the schema asks for (rule 127 tells this apart from a bad value of the right type). */
  readonly isWrongType: boolean;
}

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

/** `"ten"`, `[1,2]`; long values are cut. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** Our texts where the schema gives none of its own; a message of the schema always wins. */
const describe: z.core.$ZodErrorMap = (issue: RawIssue) => {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type': {
      const expected = TYPES[issue.expected] ?? issue.expected;
      return input === undefined ? `is required: ${expected}` : `expected ${expected}, got ${shown(input)}`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const hint = typeof input === 'string' ? didYouMean(input, values) : '';
      const expected = values.length === 1 ? `expected ${values[0]}` : `expected one of ${values.join(', ')}`;
      return input === undefined
        ? `is required: one of ${values.join(', ')}`
        : `${expected}, got ${shown(input)}.${hint}`;
    }
    case 'too_small':
      return `expected ${amount(issue.origin, issue.minimum, issue.inclusive === false ? 'above' : 'at least')}, got ${shown(input)}`;
    case 'too_big':
      return `expected ${amount(issue.origin, issue.maximum, issue.inclusive === false ? 'below' : 'at most')}, got ${shown(input)}`;
    case 'invalid_union':
      return `expected ${unionTypes(issue.errors)}, got ${shown(input)}`;
    default:
      return undefined;
  }
};

const amount = (origin: string, bound: number | bigint, word: string): string => {
  if (origin === 'string') return `a text of ${word} ${bound} characters`;
  if (origin === 'array') return `a list of ${word} ${bound} items`;
  return `a number of ${word} ${bound}`.replace('of above', 'above').replace('of below', 'below');
};

const unionTypes = (branches: readonly (readonly z.core.$ZodIssue[])[]): string => {
  const names = branches.flatMap((issues) =>
    issues
      .filter((one) => one.path.length === 0)
      .map((one) => ('expected' in one ? (TYPES[one.expected] ?? one.expected) : undefined)),
  );
  const known = [...new Set(names.filter((name) => name !== undefined))];
  return known.length === 0 ? 'another value' : known.join(' or ');
};

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** Runs a schema; what is wrong comes back with a path and a message for people, all at once. Unknown keys are found, and taken away, before (schema-shape.ts). */
export const decode = <T>(schema: z.ZodType<T>, value: unknown): Decoded<T> => {
  const result = schema.safeParse(value, { error: describe });
  if (result.success) return { ok: true, value: result.data };
  const issues = result.error.issues.flatMap((issue) => flatten(issue, []));
  return { ok: false, issues };
};

const flatten = (issue: z.core.$ZodIssue, above: Path): readonly SchemaIssue[] => {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'invalid_union') {
    // Where only one alternative had the right type, its own complaints say more than "expected a or b".
    const close = issue.errors.filter((branch) =>
      branch.every((one) => one.path.length > 0 || one.code !== 'invalid_type'),
    );
    if (close.length === 1) return close[0]?.flatMap((one) => flatten(one, path)) ?? [];
  }
  const isWrongType = issue.code === 'invalid_type' || issue.code === 'invalid_union';
  return [{ path, message: issue.message, isWrongType }];
};

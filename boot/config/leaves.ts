import type { z } from 'zod';
import { isPlainMap } from '../../runtime/dotted-path.ts';
import { shapeOf, unwrap } from '../schema-shape.ts';

/** Dotted path and value of every key, as one would write it: what is given, else the schema's default. */
export const leavesOf = (schema: z.ZodType, value: unknown): readonly (readonly [string, unknown])[] =>
  walk(schema, value, '');

const walk = (schema: z.ZodType, value: unknown, path: string): readonly (readonly [string, unknown])[] => {
  const shape = unwrap(schema)._zod.def.type === 'object' ? shapeOf(schema) : undefined;
  if (shape !== undefined) {
    const map = isPlainMap(value) ? value : {};
    return Object.entries(shape).flatMap(([key, inner]) => walk(inner, map[key], path === '' ? key : `${path}.${key}`));
  }
  const effective = value ?? defaultOf(schema);
  // A map of free keys has one line per key, or `{}`.
  if (isPlainMap(effective) && Object.keys(effective).length > 0) {
    return Object.entries(effective).map(([key, item]) => [`${path}.${key}`, item] as const);
  }
  return [[path, effective]];
};

/** The default before any transformation: `5s`, not 5000. */
const defaultOf = (schema: z.ZodType): unknown => {
  const def = schema._zod.def as unknown as { type: string; defaultValue?: unknown; innerType?: z.ZodType };
  if (def.type === 'default' || def.type === 'prefault') return def.defaultValue;
  return def.innerType === undefined ? undefined : defaultOf(def.innerType);
};

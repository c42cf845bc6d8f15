import type { z } from 'zod';
import { isPlainMap, type Path } from '../runtime/dotted-path.ts';

/** What the walk over a schema needs of zod's definitions; the names are zod's own (zod 4, `core/schemas`). */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly getter?: () => z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly items?: readonly z.ZodType[];
}
const definitionOf = (schema: z.ZodType): Definition => schema._zod.def as unknown as Definition;

/** The schema that sees the input first: without `optional`, `default`, `transform` and the like around it. */
export const unwrap = (schema: z.ZodType): z.ZodType => {
  const def = definitionOf(schema);
  if (def.type === 'pipe' && def.in !== undefined && def.out !== undefined) {
    // A `preprocess` begins with a transform: what is behind it has the shape.
    return unwrap(definitionOf(def.in).type === 'transform' ? def.out : def.in);
  }
  if (def.type === 'lazy' && def.getter !== undefined) return unwrap(def.getter());
  if (def.innerType !== undefined) return unwrap(def.innerType);
  return schema;
};

export const typeOf = (schema: z.ZodType): string => definitionOf(unwrap(schema)).type;

/** The alternatives of a union, the members of an intersection, or the schema alone. */
const alternatives = (schema: z.ZodType): readonly z.ZodType[] => {
  const inner = unwrap(schema);
  const def = definitionOf(inner);
  if (def.options !== undefined) return def.options.flatMap(alternatives);
  if (def.left !== undefined && def.right !== undefined) return [def.left, def.right].flatMap(alternatives);
  return [inner];
};

/** The schema of each key of an object; undefined where any key is welcome or the schema is no object. */
export const shapeOf = (schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined => {
  let shape: Record<string, z.ZodType> | undefined;
  for (const one of alternatives(schema)) {
    const def = definitionOf(one);
    if (def.type === 'any' || def.type === 'unknown' || def.type === 'record' || def.type === 'custom')
      return undefined;
    if (def.type !== 'object') continue;
    if (def.catchall !== undefined && definitionOf(def.catchall).type !== 'never') return undefined;
    shape = { ...shape, ...def.shape };
  }
  return shape;
};

/** The schema of what stands at a path; undefined for a path that the schema does not know or does not describe. */
export const schemaAt = (schema: z.ZodType, path: Path): z.ZodType | undefined =>
  path.reduce<z.ZodType | undefined>((at, step) => (at === undefined ? undefined : below(at, step)), schema);

const below = (schema: z.ZodType, step: string | number): z.ZodType | undefined => {
  for (const one of alternatives(schema)) {
    const def = definitionOf(one);
    const next =
      (def.shape !== undefined && Object.hasOwn(def.shape, step) ? def.shape[step] : undefined) ??
      def.catchall ??
      def.valueType ??
      def.element ??
      def.items?.[Number(step)];
    if (next !== undefined) return next;
  }
  return undefined;
};

export interface UnknownKey {
  readonly path: Path;
  /** What the map could have held instead. */
  readonly known: readonly string[];
}

/** Every key of `value` that an object of the schema does not name, the outermost only. */
export const unknownKeys = (schema: z.ZodType, value: unknown, path: Path = []): readonly UnknownKey[] => {
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => inside(below(schema, i), item, [...path, i]));
  }
  if (!isPlainMap(value)) return [];
  const shape = shapeOf(schema);
  if (shape === undefined) {
    return Object.entries(value).flatMap(([key, item]) => inside(below(schema, key), item, [...path, key]));
  }
  return Object.entries(value).flatMap(([key, item]) =>
    Object.hasOwn(shape, key)
      ? inside(shape[key], item, [...path, key])
      : [{ path: [...path, key], known: Object.keys(shape) }],
  );
};

const inside = (schema: z.ZodType | undefined, value: unknown, path: Path): readonly UnknownKey[] =>
  schema === undefined ? [] : unknownKeys(schema, value, path);

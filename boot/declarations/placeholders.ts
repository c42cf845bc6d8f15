import { isPlainMap, joinPath, type Path } from '../../runtime/dotted-path.ts';
import { messageOf } from '../../runtime/errors.ts';

/** Undefined: nobody has a value for this name. */
export type Lookup = (name: string) => string | undefined;

export interface Resolved {
  readonly value: unknown;
  /** Dotted paths of texts that were one placeholder and nothing else: they may mean a number or a boolean. */
  readonly whole: ReadonlySet<string>;
  readonly unresolved: readonly { readonly path: Path; readonly message: string }[];
}

/** `$${`, `${env:NAME}`, `${env:NAME|default}`, `${NAME|default}` (declarations.md, section 1). */
const PLACEHOLDER = /\$\$\{|\$\{(?:env:([A-Za-z0-9_.:-]+)|([A-Z_][A-Z0-9_]*)(?=\|))(?:\|([^}]*))?\}/g;

/** Replaces the placeholders of every text. `isOpaque` paths are left alone: texts that came from a file hold code, not configuration. */
export const resolvePlaceholders = (value: unknown, lookup: Lookup, isOpaque: (path: string) => boolean): Resolved => {
  const whole = new Set<string>();
  const unresolved: { path: Path; message: string }[] = [];
  const replaceIn = (text: string, path: Path): string => {
    let isWhole = false;
    const replaced = text.replace(PLACEHOLDER, (match, byEnv?: string, byName?: string, byDefault?: string) => {
      const name = byEnv ?? byName;
      if (name === undefined) return '${';
      isWhole = match.length === text.length;
      let found = byDefault;
      try {
        found = lookup(name) ?? byDefault;
      } catch (error) {
        // A storage that cannot be read (a file without the right to) says so itself.
        unresolved.push({ path, message: `${match}: ${messageOf(error)}` });
        return '';
      }
      if (found === undefined) {
        const message = `${match}: no variable ${name} is registered or set. Set it, or give a default: \${env:${name}|default}`;
        unresolved.push({ path, message });
      }
      return found ?? '';
    });
    if (isWhole) whole.add(joinPath(path));
    return replaced;
  };
  const visit = (item: unknown, path: Path): unknown => {
    if (typeof item === 'string')
      return item.includes('${') && !isOpaque(joinPath(path)) ? replaceIn(item, path) : item;
    if (Array.isArray(item)) return item.map((one, i) => visit(one, [...path, i]));
    if (!isPlainMap(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([key, one]) => [key, visit(one, [...path, key])]));
  };
  return { value: visit(value, []), whole, unresolved };
};

/** A text as the boolean or number that it reads as; undefined where it is neither. */
export const scalarOf = (text: string): boolean | number | undefined => {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
};

import { isPlainMap, joinPath, type Path } from '../../runtime/dotted-path.ts';
import type { Problem } from '../../runtime/errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { shown } from '../schema-messages.ts';
import type { YamlSource } from '../yaml-source.ts';
import type { EntryParts } from './source-entry.ts';

/** One entry of a file, before overrides and `file://`. */
export type DeclaredItem = Omit<EntryParts, 'overridden' | 'files' | 'isBroken'>;

const NAME = /^[A-Za-z0-9_.-]+$/;
const FILE_KEYS = ['version', 'namespace', 'meta', 'entries'] as const;

/** The entries of one parsed file. A file without a namespace, or without entries, declares nothing (declarations.md, section 1). */
export const declaredItems = (
  file: string,
  source: YamlSource,
): { items: readonly DeclaredItem[]; problems: readonly Problem[] } => {
  const { value } = source;
  if (!isPlainMap(value) || value.namespace === undefined || value.namespace === null || value.namespace === '') {
    return { items: [], problems: [] };
  }
  const isInline = value.entries === undefined && value.name !== undefined && value.kind !== undefined;
  if (!isInline && value.entries === undefined) return { items: [], problems: [] };

  const problems: Problem[] = [];
  const report = (
    path: Path,
    message: string,
    severity: Problem['severity'] = 'error',
    part: 'valueAt' | 'keyAt' = 'valueAt',
  ) => problems.push({ file, ...source[part](path), path: joinPath(path), message, severity });
  const { namespace } = value;
  if (typeof namespace !== 'string' || !NAME.test(namespace)) {
    report(['namespace'], `namespace must be letters, digits, '_', '-' and '.', got ${shown(namespace)}`);
    return { items: [], problems };
  }
  const { meta: sharedMeta } = value;
  if (!isInline && !isMapOrNothing(sharedMeta)) report(['meta'], `meta must be a map, got ${shown(sharedMeta)}`);
  if (!isInline && !Array.isArray(value.entries)) {
    // `entries:` with nothing behind it is a file that has none yet.
    if (value.entries !== null) report(['entries'], `entries must be a list, got ${shown(value.entries)}`);
    return { items: [], problems };
  }
  if (!isInline) {
    for (const key of Object.keys(value).filter((one) => !(FILE_KEYS as readonly string[]).includes(one))) {
      report([key], `unknown key, ignored.${didYouMean(key, FILE_KEYS)}`, 'warning', 'keyAt');
    }
  }
  const raw: readonly (readonly [Path, unknown])[] = isInline
    ? [[[], without(value, ['version', 'namespace'])]]
    : (value.entries as unknown[]).map((one, i) => [['entries', i], one] as const);

  const items: DeclaredItem[] = [];
  for (const [at, one] of raw) {
    if (!isPlainMap(one)) {
      report(at, `an entry must be a map with name and kind, got ${shown(one)}`);
      continue;
    }
    const { name, kind, meta } = one;
    const before = problems.length;
    for (const [key, text] of Object.entries({ name, kind })) {
      if (typeof text !== 'string' || text === '')
        report([...at, key], `${key} is required and must be a non-empty string`);
    }
    if (typeof name === 'string' && name !== '' && !NAME.test(name)) {
      report([...at, 'name'], `name must be letters, digits, '_', '-' and '.', got ${shown(name)}`);
    }
    if (!isMapOrNothing(meta)) report([...at, 'meta'], `meta must be a map, got ${shown(meta)}`);
    if (problems.length > before) continue;
    const rest = without(one, ['name', 'kind', 'meta']);
    const isUnderData = Object.keys(rest).length === 1 && isPlainMap(rest.data);
    items.push({
      namespace,
      name: name as string,
      kind: kind as string,
      meta: { ...(isInline ? {} : (sharedMeta as object | null | undefined)), ...(meta as object | null | undefined) },
      data: isUnderData ? (rest.data as Record<string, unknown>) : rest,
      file,
      source,
      at,
      dataAt: isUnderData ? [...at, 'data'] : at,
    });
  }
  return { items, problems };
};

const isMapOrNothing = (value: unknown): boolean => value === undefined || value === null || isPlainMap(value);
const without = (value: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

import { isPlainMap, joinPath, type Path, valueAt, withValueAt } from '../../runtime/dotted-path.ts';
import type { EntryKind } from '../../runtime/entry.ts';
import type { Problem } from '../../runtime/errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { decode } from '../schema-messages.ts';
import { unknownKeys } from '../schema-shape.ts';
import { type Lookup, resolvePlaceholders, scalarOf } from './placeholders.ts';
import { type Reference, withAbsoluteReferences } from './references.ts';
import type { SourceEntry } from './source-entry.ts';

export interface DecodedEntry {
  /** Undefined when the entry is invalid. */
  readonly config: { readonly value: unknown } | undefined;
  /** The value that the schema saw: placeholders resolved, references absolute. */
  readonly input: unknown;
  readonly references: readonly Reference[];
  readonly problems: readonly Problem[];
}

/** Placeholders, then references, then unknown keys, then the kind's schema: everything wrong is reported with its place. */
export const decodeEntry = (entry: SourceEntry, kind: EntryKind, lookup: Lookup): DecodedEntry => {
  const problems: Problem[] = [];
  const report = (
    path: Path,
    message: string,
    severity: Problem['severity'] = 'error',
    part: 'value' | 'key' = 'value',
  ) => problems.push({ ...entry.locate(path, part), message, severity });

  const resolved = resolvePlaceholders(entry.value, lookup, (path) => entry.fileOf(path) !== undefined);
  for (const { path, message } of resolved.unresolved) report(path, message);
  const { value: absolute, references } = withAbsoluteReferences(
    resolved.value,
    entry.namespace,
    kind.references ?? [],
  );
  let input = absolute;
  for (const { path, known } of unknownKeys(kind.schema, input)) {
    // `meta` is free, whatever a kind reads from it.
    if (path[0] === 'meta') continue;
    input = withValueAt(input, path, undefined);
    const others = known.filter((key) => key !== 'meta');
    report(path, `unknown key, ignored.${didYouMean(String(path.at(-1)), others)}`, 'warning', 'key');
  }
  if (entry.isBroken || resolved.unresolved.length > 0) return { config: undefined, input, references, problems };

  let result = decode(kind.schema, input);
  if (!result.ok && resolved.whole.size > 0) {
    // A text stays a text where the kind wants one (a password of digits); elsewhere it may mean a number or a boolean.
    const converted = result.issues.reduce((value, { path }) => convert(value, path, resolved.whole), input);
    if (converted !== input) {
      input = converted;
      result = decode(kind.schema, input);
    }
  }
  if (result.ok) return { config: { value: result.value }, input, references, problems };
  for (const { path, message } of result.issues) report(path, message);
  return { config: undefined, input, references, problems };
};

const convert = (value: unknown, path: Path, whole: ReadonlySet<string>): unknown => {
  const text = valueAt(value, path);
  if (!whole.has(joinPath(path)) || typeof text !== 'string' || !isPlainMap(value)) return value;
  const scalar = scalarOf(text);
  return scalar === undefined ? value : withValueAt(value, path, scalar);
};

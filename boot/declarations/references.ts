import { isPlainMap, type Path, splitPath, valueAt, withValueAt } from '../../runtime/dotted-path.ts';
import { type ReferenceSpec, resolveId } from '../../runtime/entry.ts';
import { didYouMeanId } from './nearest-id.ts';
import type { SourceEntry } from './source-entry.ts';

/** One place where an entry names another. */
export interface Reference {
  readonly path: Path;
  readonly target: string;
  readonly spec: ReferenceSpec;
}

/** Fields that name other entries in every kind (processes-declarations.md, sections 1 and 5). */
const EVERYWHERE: readonly ReferenceSpec[] = [
  ...['lifecycle.requires.*', 'lifecycle.depends_on.*', 'meta.depends_on.*'].map((path) => ({ path, kinds: [] })),
  { path: 'lifecycle.security.policies.*', kinds: ['security.policy'], startsAfter: false },
  { path: 'lifecycle.security.groups.*', kinds: [], isName: true },
];

/** A value with its references made absolute, and the list of them. What is no reference at all is left to the schema. */
export const withAbsoluteReferences = (
  value: unknown,
  namespace: string,
  specs: readonly ReferenceSpec[],
): { value: unknown; references: readonly Reference[] } => {
  const references: Reference[] = [];
  let out = value;
  for (const spec of [...specs, ...EVERYWHERE]) {
    for (const path of expand(out, splitPath(spec.path))) {
      const target = targetOf(valueAt(out, path), namespace);
      if (target === undefined) continue;
      out = withValueAt(out, path, target);
      if (spec.isName !== true) references.push({ path, target, spec });
    }
  }
  return { value: out, references };
};

/** The concrete paths behind a pattern with `*`. */
const expand = (value: unknown, pattern: Path, above: Path = []): readonly Path[] => {
  const [step, ...rest] = pattern;
  if (step === undefined) return [above];
  if (step !== '*') return expand(valueAt(value, [step]), rest, [...above, step]);
  if (Array.isArray(value)) return value.flatMap((item, i) => expand(item, rest, [...above, i]));
  if (!isPlainMap(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => expand(item, rest, [...above, key]));
};

const targetOf = (value: unknown, namespace: string): string | undefined => {
  if (typeof value === 'string') return value === '' ? undefined : resolveId(value, namespace);
  if (!isPlainMap(value) || typeof value.name !== 'string' || value.name === '') return undefined;
  const { ns = namespace } = value;
  return typeof ns === 'string' ? `${ns === '' ? namespace : ns}:${value.name}` : undefined;
};

/** What is wrong with a reference; both ends are named. Undefined: nothing. */
export const faultOf = (
  entry: SourceEntry,
  { target, spec }: Reference,
  entries: ReadonlyMap<string, SourceEntry>,
): string | undefined => {
  const found = entries.get(target);
  const fits = (one: SourceEntry): boolean => spec.kinds.length === 0 || spec.kinds.includes(one.kind);
  if (found !== undefined && fits(found)) return undefined;
  const expected = spec.kinds.join(' or ');
  if (found !== undefined)
    return `${entry.id} refers to ${target}, which is of kind ${found.kind}; expected ${expected}`;
  const candidates = [...entries.values()].filter((one) => one.id !== entry.id && fits(one)).map((one) => one.id);
  const what = spec.missing === undefined ? '' : `${spec.missing}: `;
  return `${what}${entry.id} refers to ${target}, which does not exist.${didYouMeanId(target, candidates)}`;
};

import { pathIn } from '../../runtime/dotted-path.ts';
import type { Declared, EntryKind, EntryProblem, EntryRegistry } from '../../runtime/entry.ts';
import { DeclarationError, type Problem, renderProblem } from '../../runtime/errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import type { Surface } from '../../runtime/surface.ts';
import { envVariables } from '../../services/env/variables.ts';
import { type DecodedEntry, decodeEntry } from './decode-entry.ts';
import { knownModules, moduleFaults } from './modules.ts';
import { cyclesOf, dependencyOrder } from './order.ts';
import { faultOf } from './references.ts';
import { entryRegistry } from './registry.ts';
import type { SourceEntry } from './source-entry.ts';

export interface ValidationSources {
  readonly entries: readonly SourceEntry[];
  /** Every surface that exists, also those that are switched off. */
  readonly surfaces: readonly Surface[];
  /** `surfaces` of the boot file. */
  readonly switches?: Readonly<Record<string, boolean>>;
  readonly osVariables: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the source root. */
  readonly root: string;
}

export interface Validation {
  /** `declared` holds the valid entries only. */
  readonly registry: EntryRegistry;
  /** Every id, needed entries first (declarations.md, section 2). */
  readonly order: readonly string[];
  /** What each entry waits for at the start. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly Problem[];
}

interface KnownKind {
  readonly kind: EntryKind;
  readonly surface: Surface;
}

/** Decodes and checks all entries. Nothing throws half way: everything that is wrong is in `problems`, by file and place. */
export const validateEntries = (sources: ValidationSources): Validation => {
  const { surfaces, switches = {}, osVariables } = sources;
  const isOff = (surface: Surface): boolean => surface.name !== undefined && switches[surface.name] === false;
  const kinds = new Map<string, KnownKind>(
    surfaces.flatMap((surface) =>
      Object.entries(surface.kinds).map(
        ([name, kind]) => [name, { kind: kind as unknown as EntryKind, surface }] as const,
      ),
    ),
  );
  const byId = new Map(sources.entries.map((entry) => [entry.id, entry]));
  const problems: Problem[] = [];
  const decoded = new Map<string, DecodedEntry>();
  const declared: Declared[] = [];
  const usable = sources.entries.filter((entry) => {
    const problem = kindProblem(entry, kinds, isOff);
    if (problem !== undefined) problems.push(problem);
    return problem === undefined;
  });

  // Variables come first: the placeholders of everything else may name them. Their own see the program's environment only.
  const isEnv = (entry: SourceEntry): boolean => entry.kind.startsWith('env.');
  const decodeAll = (
    entries: readonly SourceEntry[],
    resolve: (name: string, namespace: string) => string | undefined,
  ) => {
    for (const entry of entries) {
      const known = kinds.get(entry.kind);
      if (known === undefined) continue;
      const result = decodeEntry(entry, known.kind, (name) => resolve(name, entry.namespace));
      decoded.set(entry.id, result);
      problems.push(...result.problems);
      if (result.config !== undefined) declared.push({ id: entry.id, entry, config: result.config.value });
    }
  };
  decodeAll(usable.filter(isEnv), (name) => osVariables[name] || undefined);
  const variables = envVariables(entryRegistry([], declared), { osVariables, root: sources.root });
  decodeAll(
    usable.filter((entry) => !isEnv(entry)),
    variables.resolve,
  );

  const modules = knownModules(surfaces, isOff);
  const needs = new Map<string, string[]>(sources.entries.map((entry) => [entry.id, []]));
  for (const entry of usable) {
    const { references = [], input } = decoded.get(entry.id) ?? {};
    for (const reference of references) {
      const fault = faultOf(entry, reference, byId);
      if (fault !== undefined) problems.push({ ...entry.locate(reference.path), message: fault, severity: 'error' });
      else if (reference.spec.startsAfter !== false) needs.get(entry.id)?.push(reference.target);
    }
    for (const { path, message } of moduleFaults((input as { modules?: unknown } | undefined)?.modules, modules)) {
      problems.push({ ...entry.locate(path), message, severity: 'error' });
    }
  }
  for (const cycle of cyclesOf(needs)) problems.push(cycleProblem(cycle, byId, decoded));

  const registry = entryRegistry(sources.entries, declared);
  for (const one of declared) {
    const entry = byId.get(one.id);
    const check = kinds.get(one.entry.kind)?.kind.check;
    if (entry === undefined || check === undefined) continue;
    problems.push(...check(one).map((problem) => placed(problem, entry)));
  }
  for (const surface of surfaces.filter((one) => !isOff(one))) {
    for (const problem of surface.check?.(registry) ?? []) {
      const entry = byId.get(problem.id);
      if (entry !== undefined) problems.push(placed(problem, entry));
    }
  }
  return { registry, order: dependencyOrder(needs), needs, problems: sorted(problems) };
};

/** @throws DeclarationError with every problem when one of them is an error. */
export const refuseErrors = (problems: readonly Problem[]): void => {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new DeclarationError(errors);
};

const kindProblem = (
  entry: SourceEntry,
  kinds: ReadonlyMap<string, KnownKind>,
  isOff: (surface: Surface) => boolean,
): Problem | undefined => {
  const known = kinds.get(entry.kind);
  const place = entry.locate(['kind']);
  if (known === undefined) {
    const hint = didYouMean(entry.kind, kinds.keys());
    return {
      ...place,
      message: `${entry.id}: unknown kind '${entry.kind}', kept as inert data.${hint}`,
      severity: 'warning',
    };
  }
  if (!isOff(known.surface)) return undefined;
  const message = `${entry.id}: kind '${entry.kind}' is switched off by surfaces.${known.surface.name}: false in the boot file`;
  return { ...place, message, severity: 'error' };
};

const cycleProblem = (
  cycle: readonly string[],
  byId: ReadonlyMap<string, SourceEntry>,
  decoded: ReadonlyMap<string, DecodedEntry>,
): Problem => {
  const [first = '', second = ''] = cycle;
  const reference = decoded.get(first)?.references.find(({ target }) => target === second);
  const place = byId.get(first)?.locate(reference?.path ?? []) ?? { file: first, path: '' };
  return { ...place, message: `these entries need each other: ${cycle.join(' -> ')}`, severity: 'error' };
};

const placed = (problem: EntryProblem, entry: SourceEntry): Problem => {
  const { message, severity = 'error', at } = problem;
  // Elsewhere (a Lua source) the entry's path would mislead: its id says whose file that is.
  if (at !== undefined) return { ...at, path: entry.id, message, severity };
  return { ...entry.locate(pathIn(entry.value, problem.path)), message, severity };
};

/** By file and place; a problem that two checks found is told once. */
const sorted = (problems: readonly Problem[]): readonly Problem[] => {
  const once = new Map(problems.map((problem) => [renderProblem(problem), problem]));
  return [...once.values()].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
};

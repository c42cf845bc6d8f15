import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { isPlainMap, joinPath, pathIn, withValueAt } from '../../runtime/dotted-path.ts';
import { messageOf, type Problem } from '../../runtime/errors.ts';
import { parseYaml } from '../yaml-source.ts';
import { type DeclaredItem, declaredItems } from './declared-items.ts';
import { withFileTexts } from './file-values.ts';
import { declarationFiles, posix, sourceRootOf } from './files.ts';
import { didYouMeanId } from './nearest-id.ts';
import { type Override, parseOverrides } from './overrides.ts';
import { type SourceEntry, sourceEntry } from './source-entry.ts';

export interface LoadedDeclarations {
  /** Absolute path of the source root. */
  readonly root: string;
  /** Ordered by id, each id once. */
  readonly entries: readonly SourceEntry[];
  /** How many files declare something. */
  readonly fileCount: number;
  /** Everything that is wrong in any file, at once. */
  readonly problems: readonly Problem[];
}

/** Reads every declaration file of an app (declarations.md, section 1). Throws nothing: what is wrong is in `problems`. */
export const loadDeclarations = (dir: string, options: { overrides?: readonly string[] } = {}): LoadedDeclarations => {
  const { root, problems: rootProblems } = sourceRootOf(dir);
  if (rootProblems.length > 0) return { root, entries: [], fileCount: 0, problems: rootProblems };
  const { overrides, problems: overrideProblems } = parseOverrides(options.overrides ?? []);
  const { files, problems: folderProblems } = declarationFiles(root);
  const problems: Problem[] = [...overrideProblems, ...folderProblems];
  const entries = new Map<string, SourceEntry>();
  let fileCount = 0;
  for (const path of files) {
    const file = posix(relative(root, path));
    const read = readItems(path, file);
    problems.push(...read.problems);
    if (read.items.length > 0) fileCount += 1;
    for (const item of read.items) {
      const id = `${item.namespace}:${item.name}`;
      const first = entries.get(id);
      if (first !== undefined) {
        const at = first.locate([]);
        const message = `duplicate id ${id}: declared at ${at.file}:${at.line}:${at.column} already. Rename one of them.`;
        problems.push({ file, ...item.source.valueAt(item.at), path: joinPath(item.at), message, severity: 'error' });
        continue;
      }
      const built = buildEntry(item, overrides, root);
      entries.set(id, built.entry);
      problems.push(...built.problems);
    }
  }
  for (const { id, path } of overrides) {
    if (entries.has(id)) continue;
    const message = `there is no entry ${id}.${didYouMeanId(id, entries.keys())}`;
    problems.push({ file: '-o', path: `${id}:${path}`, message, severity: 'error' });
  }
  return { root, entries: [...entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), fileCount, problems };
};

const readItems = (path: string, file: string): { items: readonly DeclaredItem[]; problems: readonly Problem[] } => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return {
      items: [],
      problems: [{ file, path: '', message: `cannot be read: ${messageOf(error)}`, severity: 'error' }],
    };
  }
  const { source, problems } = parseYaml(file, text);
  if (source !== undefined) return declaredItems(file, source);
  return { items: [], problems: isDeclaration(file, text) ? problems : [] };
};

/** A file that cannot be parsed counts only if it looks like declarations: others are somebody else's. */
const isDeclaration = (file: string, text: string): boolean =>
  /\.json$/i.test(file) ? /"namespace"\s*:/.test(text) : /^["']?namespace["']?\s*:/m.test(text);

const buildEntry = (
  item: DeclaredItem,
  overrides: readonly Override[],
  root: string,
): { entry: SourceEntry; problems: readonly Problem[] } => {
  const id = `${item.namespace}:${item.name}`;
  let raw: unknown = { meta: item.meta, ...item.data };
  const overridden = new Set<string>();
  for (const one of overrides.filter((each) => each.id === id)) {
    const path = pathIn(raw, one.path);
    raw = withValueAt(raw, path, one.value);
    overridden.add(joinPath(path));
  }
  const { value, files, failures } = withFileTexts(raw, item.file, root);
  const { meta, ...data } = value as Record<string, unknown>;
  const entry = sourceEntry({
    ...item,
    meta: isPlainMap(meta) ? meta : {},
    data,
    overridden,
    files,
    isBroken: failures.length > 0,
  });
  const problems = failures.map(
    ({ path, message }): Problem => ({ ...entry.locate(path), message: `${id}: ${message}`, severity: 'error' }),
  );
  return { entry, problems };
};

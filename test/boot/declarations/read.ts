import type { Test } from 'tap';
import { loadDeclarations } from '../../../boot/declarations/load.ts';
import { validateEntries } from '../../../boot/declarations/validate.ts';
import { renderProblem } from '../../../runtime/errors.ts';
import { testSurfaces } from './surfaces.ts';

type Folder = NonNullable<Parameters<Test['testdir']>[0]>;
interface ReadOptions {
  readonly dir?: string;
  readonly overrides?: readonly string[];
  readonly switches?: Readonly<Record<string, boolean>>;
  readonly osVariables?: Readonly<Record<string, string>>;
}

/** Reads a folder (or the text of one `_index.yaml` in `shop/`) with the test's surfaces; problems come as texts. */
export const read = (t: Test, folder: Folder | string, options: ReadOptions = {}) => {
  const made = t.testdir(typeof folder === 'string' ? { shop: { '_index.yaml': folder } } : folder);
  const { dir = made, overrides, switches, osVariables = {} } = options;
  const { root, entries, fileCount, problems: loading } = loadDeclarations(dir, { overrides });
  const validation = validateEntries({ entries, root, surfaces: testSurfaces, switches, osVariables });
  const problems = [...loading, ...validation.problems];
  const texts = (severity: string) => problems.filter((one) => one.severity === severity).map(renderProblem);
  return { ...validation, dir, root, entries, fileCount, problems, errors: texts('error'), warnings: texts('warning') };
};

/** A file of the namespace `shop` with these entries, each on lines of its own (the first on line 3). */
export const shop = (...entries: string[]): string =>
  ['namespace: shop', 'entries:', ...entries.map((one) => `  - ${one}`), ''].join('\n');

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { isPlainMap, valueAt } from '../../runtime/dotted-path.ts';
import { messageOf, type Problem } from '../../runtime/errors.ts';
import { parseYaml } from '../yaml-source.ts';

const DECLARATION = /\.(?:yaml|yml|json)$/i;

/** A path with `/` between its parts, as messages show it on every system. */
export const posix = (path: string): string => (sep === '/' ? path : path.split(sep).join('/'));

/**
 * Absolute path of the folder that holds an app's declarations: `directories.src` of its `wippy.lock`, else the folder
 * itself (processes-declarations.md, section 1).
 */
export const sourceRootOf = (dir: string): { root: string; problems: readonly Problem[] } => {
  const root = resolve(dir);
  const problem = (message: string) => ({
    root,
    problems: [{ file: posix(dir), path: '', message, severity: 'error' } as const],
  });
  try {
    if (!statSync(root).isDirectory()) return problem('is no folder. Give the folder of an app.');
  } catch (error) {
    return problem(isMissing(error) ? 'no such folder. Give the folder of an app.' : messageOf(error));
  }
  let lock: string;
  try {
    lock = readFileSync(join(root, 'wippy.lock'), 'utf8');
  } catch (error) {
    return isMissing(error) ? { root, problems: [] } : problem(`wippy.lock cannot be read: ${messageOf(error)}`);
  }
  const { source, problems } = parseYaml('wippy.lock', lock);
  const src = valueAt(source?.value, ['directories', 'src']);
  return {
    root: isPlainMap(source?.value) && typeof src === 'string' && src !== '' ? resolve(root, src) : root,
    problems,
  };
};

/** Absolute paths of every file that may hold declarations, in a stable order; `node_modules` is skipped, links to folders are not followed. */
export const declarationFiles = (root: string): { files: readonly string[]; problems: readonly Problem[] } => {
  const files: string[] = [];
  const problems: Problem[] = [];
  const visit = (folder: string): void => {
    let items: ReturnType<typeof listFolder>;
    try {
      items = listFolder(folder);
    } catch (error) {
      const file = posix(relative(root, folder)) || '.';
      problems.push({ file, path: '', message: `cannot be read: ${messageOf(error)}`, severity: 'error' });
      return;
    }
    for (const item of items) {
      const path = join(folder, item.name);
      if (item.isDirectory()) {
        if (item.name !== 'node_modules') visit(path);
      } else if (DECLARATION.test(item.name)) files.push(path);
    }
  };
  visit(root);
  return { files, problems };
};

const listFolder = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

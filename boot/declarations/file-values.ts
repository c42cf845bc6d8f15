import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { isPlainMap, joinPath, type Path } from '../../runtime/dotted-path.ts';
import { messageOf } from '../../runtime/errors.ts';
import { posix } from './files.ts';

const PREFIX = 'file://';

export interface FileValues {
  readonly value: unknown;
  /** Dotted path to the file whose text stands there, relative to the source root. */
  readonly files: ReadonlyMap<string, string>;
  readonly failures: readonly { readonly path: Path; readonly message: string }[];
}

/**
 * Replaces every text that begins with `file://` by that file's text: relative to the declaring file, or with a third
 * slash to the source root (declarations.md, section 1).
 */
export const withFileTexts = (value: unknown, declaringFile: string, root: string): FileValues => {
  const files = new Map<string, string>();
  const failures: { path: Path; message: string }[] = [];
  const folder = dirname(join(root, declaringFile));

  const read = (text: string, path: Path): unknown => {
    const target = text.slice(PREFIX.length);
    const absolute = target.startsWith('/') ? join(root, target) : join(folder, target);
    const inRoot = relative(root, absolute);
    if (inRoot === '..' || /^\.\.[/\\]/.test(inRoot) || isAbsolute(inRoot)) {
      failures.push({ path, message: `'${text}' leaves the source root. Move the file below it.` });
      return undefined;
    }
    try {
      const content = readFileSync(absolute, 'utf8');
      files.set(joinPath(path), posix(inRoot));
      return content;
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const cause = isMissing ? `there is no file ${posix(inRoot)}` : messageOf(error);
      failures.push({ path, message: `'${text}' cannot be read: ${cause}` });
      return undefined;
    }
  };
  const visit = (item: unknown, path: Path): unknown => {
    if (typeof item === 'string') return item.startsWith(PREFIX) ? read(item, path) : item;
    if (Array.isArray(item)) return item.map((one, i) => visit(one, [...path, i]));
    if (!isPlainMap(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([key, one]) => [key, visit(one, [...path, key])]));
  };
  return { value: visit(value, []), files, failures };
};

import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CallError, internal, invalid, messageOf, notFound } from '../../runtime/errors.ts';
import type { EnvStorage } from './storage.ts';

export interface EnvFileOptions {
  /** Absolute. */
  readonly path: string;
  /** Make the file, and its folders, at the first write. */
  readonly autoCreate: boolean;
  readonly fileMode: number;
  readonly dirMode: number;
}

/** `KEY=VALUE` of a line, trimmed; undefined for comments and everything else. A `#` begins a comment at the start or behind white space. */
const parseLine = (line: string): readonly [string, string] | undefined => {
  const equals = line.indexOf('=');
  if (equals < 0 || line.trimStart().startsWith('#')) return undefined;
  const key = line.slice(0, equals).trim();
  const value = line.slice(equals + 1).replace(/(^|\s)#.*$/, '$1');
  return key === '' ? undefined : [key, value.trim()];
};

const parseEnvFile = (text: string): Map<string, string> =>
  new Map(text.split('\n').flatMap((line) => [parseLine(line)].filter((pair) => pair !== undefined)));

/** The text with `key` set: its last line is replaced, or one is added; all other lines stay as they are. */
const withLine = (text: string, key: string, value: string): string => {
  const lines = text.split('\n');
  const at = lines.findLastIndex((line) => parseLine(line)?.[0] === key);
  const line = `${key}=${value}`;
  if (at >= 0) lines[at] = lines[at]?.endsWith('\r') === true ? `${line}\r` : line;
  else if (lines.at(-1) === '') lines.splice(-1, 0, line);
  else lines.push(line, '');
  return lines.join('\n');
};

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** `env.storage.file` (declarations.md, section 9). Reads follow changes that others make to the file. */
export const fileStorage = (options: EnvFileOptions): EnvStorage => {
  let cached: { stamp: string; values: ReadonlyMap<string, string> } | undefined;

  const read = (): string | undefined => {
    try {
      return readFileSync(options.path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw internal(`cannot read ${options.path}: ${messageOf(error)}`, { cause: error });
    }
  };
  const values = (): ReadonlyMap<string, string> => {
    const stat = statSync(options.path, { throwIfNoEntry: false, bigint: true });
    if (stat === undefined) return new Map();
    // A rename gives another inode: two writes within one tick of the file system's clock are told apart by it.
    const stamp = `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
    if (cached?.stamp !== stamp) cached = { stamp, values: parseEnvFile(read() ?? '') };
    return cached.values;
  };
  return {
    get: (key) => values().get(key),
    all: () => Object.fromEntries(values()),
    set(key, value) {
      const current = read();
      if (current === undefined && !options.autoCreate) {
        throw notFound(`environment file ${options.path} does not exist. Create it, or set auto_create: true.`);
      }
      const next = withLine(current ?? '', key, value);
      // What the format cannot hold (line breaks, a comment sign, white space around) must not come back as something else.
      if (parseEnvFile(next).get(key) !== value) {
        throw invalid(`value of ${key} cannot be written as a KEY=VALUE line`);
      }
      replaceFile(options, next, current !== undefined);
    },
  };
};

/** Readers see the old file or the new one, never a part of it. */
const replaceFile = (options: EnvFileOptions, text: string, exists: boolean): void => {
  let temporary: string | undefined;
  try {
    if (!exists) mkdirSync(dirname(options.path), { recursive: true, mode: options.dirMode });
    // A link stays a link: what it points to is replaced.
    const target = exists ? realpathSync(options.path) : options.path;
    const mode = exists ? statSync(target).mode & 0o777 : options.fileMode;
    temporary = `${target}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { mode, flush: true });
    // The mode given to writeFileSync passes through the umask; this one does not.
    chmodSync(temporary, mode);
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    if (error instanceof CallError) throw error;
    throw internal(`cannot write ${options.path}: ${messageOf(error)}`, { cause: error });
  }
};

import { joinPath, type Path, pathIn } from '../../runtime/dotted-path.ts';
import type { Entry } from '../../runtime/entry.ts';
import type { Problem } from '../../runtime/errors.ts';
import type { YamlSource } from '../yaml-source.ts';

export type Place = Pick<Problem, 'file' | 'line' | 'column' | 'path'>;

/** An entry that knows where each of its parts was written. */
export interface SourceEntry extends Entry {
  /** What its kind's schema will see: `{ meta, ...data }`, raw. */
  readonly value: Readonly<Record<string, unknown>>;
  /** A part could not be read (a `file://` that does not exist): already reported, not worth decoding. */
  readonly isBroken: boolean;
  /** Place of a path of `value`, for a message. */
  locate(path: Path, part?: 'value' | 'key'): Place;
}

export interface EntryParts {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
  /** Relative to the source root. */
  readonly file: string;
  readonly source: YamlSource;
  /** Where the entry stands in its file, and where its configuration does (`entries[2]`, `entries[2].data`). */
  readonly at: Path;
  readonly dataAt: Path;
  /** Dotted paths that `-o` replaced. */
  readonly overridden: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, string>;
  readonly isBroken: boolean;
}

export const sourceEntry = (parts: EntryParts): SourceEntry => {
  const { namespace, name, kind, meta, data, file, source, overridden, files, isBroken } = parts;
  const id = `${namespace}:${name}`;
  const value = { meta, ...data };
  // `meta` and `kind` stand beside `data:`, not in it.
  const isBeside = ([first]: Path): boolean => first === 'meta' || (first === 'kind' && data.kind === undefined);
  const inFile = (path: Path): Path => [...(isBeside(path) ? parts.at : parts.dataAt), ...path];
  const isOverridden = (path: Path): boolean => path.some((_, i) => overridden.has(joinPath(path.slice(0, i + 1))));
  return {
    id,
    namespace,
    name,
    kind,
    meta,
    data,
    file,
    value,
    isBroken,
    position(text) {
      const path = pathIn(value, text);
      return isOverridden(path) ? undefined : source.valueAt(inFile(path));
    },
    fileOf: (text) => files.get(joinPath(pathIn(value, text))),
    locate(path, part = 'value') {
      if (isOverridden(path)) return { file: '-o', path: `${id}:${joinPath(path)}` };
      const where = path.length === 0 ? parts.at : inFile(path);
      return { file, ...(part === 'key' ? source.keyAt(where) : source.valueAt(where)), path: joinPath(where) };
    },
  };
};

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPlainMap, joinPath } from '../../runtime/dotted-path.ts';
import { messageOf, type Problem } from '../../runtime/errors.ts';
import { shown } from '../schema-messages.ts';
import { parseYaml } from '../yaml-source.ts';
import type { Layer } from './layers.ts';

interface Read {
  readonly layers: readonly Layer[];
  readonly problems: readonly Problem[];
}

/**
 * The layers of the boot files: those named by `--config`, else `perilune.yaml` of the app's folder, else its
 * `.wippy.yaml`, else none. A file that was named and is not there is an error.
 */
export const readBootFiles = (dir: string, named: readonly string[]): Read => {
  if (named.length > 0) {
    const reads = named.map((file) => readBootFile(file, file, false) ?? missing(file));
    return { layers: reads.flatMap((one) => one.layers), problems: reads.flatMap((one) => one.problems) };
  }
  return (
    readBootFile(join(dir, 'perilune.yaml'), 'perilune.yaml', false) ??
    readBootFile(join(dir, '.wippy.yaml'), '.wippy.yaml', true) ?? { layers: [], problems: [] }
  );
};

const failed = (file: string, message: string): Read => ({
  layers: [],
  problems: [{ file, path: '', message, severity: 'error' }],
});
const missing = (file: string): Read => failed(file, 'no such file. Give --config the path of a boot file.');

/** Undefined when there is no such file. */
const readBootFile = (path: string, shownAs: string, isLenient: boolean): Read | undefined => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return failed(shownAs, `cannot be read: ${messageOf(error)}`);
  }
  const { source, problems } = parseYaml(shownAs, text);
  if (source === undefined) return { layers: [], problems };
  const value = source.value ?? {};
  if (!isPlainMap(value)) {
    const message = `expected a map of sections such as 'logger:', got ${shown(value)}`;
    return { layers: [], problems: [{ file: shownAs, ...source.valueAt([]), path: '', message, severity: 'error' }] };
  }
  const layer: Layer = {
    from: 'file',
    value,
    isLenient,
    locate: (at, part) => ({
      file: shownAs,
      ...(part === 'key' ? source.keyAt(at) : source.valueAt(at)),
      path: joinPath(at),
    }),
    where: (at) => `${shownAs}:${source.valueAt(at).line}`,
  };
  return { layers: [layer], problems: [] };
};

import { isPlainMap, joinPath, type Path } from '../../runtime/dotted-path.ts';
import type { Problem } from '../../runtime/errors.ts';

/** Where the effective value of a key came from. `where`: `file:line`, `env NAME`, `--set`, or empty for a default. */
export interface Origin {
  readonly from: 'default' | 'file' | 'env' | 'set';
  readonly where: string;
}
export const DEFAULT_ORIGIN: Origin = { from: 'default', where: '' };

export type Place = Pick<Problem, 'file' | 'line' | 'column' | 'path'>;

/** One source of values. Later layers win, key by key. */
export interface Layer {
  readonly from: Exclude<Origin['from'], 'default'>;
  readonly value: Readonly<Record<string, unknown>>;
  /** Unknown keys are only warned about (`.wippy.yaml`). */
  readonly isLenient: boolean;
  /** Where a path stands, for messages: its value, or its key. */
  locate(path: Path, part: 'value' | 'key'): Place;
  /** The same for `--explain`. */
  where(path: Path): string;
}

/** What all layers say together, and which of them said it. */
export interface Merged {
  readonly value: Readonly<Record<string, unknown>>;
  /** Dotted path of every value that is given, to the layer that gave it. Maps are listed too. */
  readonly givers: ReadonlyMap<string, Layer>;
}

type Tree = Record<string, unknown>;
// Without a prototype, so that a key named `__proto__` is a key like any other.
const emptyTree = (): Tree => Object.create(null) as Tree;

/** Deep merge: maps key by key, everything else as a whole. A key without a value (`otel:`) is not given. */
export const mergeLayers = (layers: readonly Layer[]): Merged => {
  const value = emptyTree();
  const givers = new Map<string, Layer>();
  for (const layer of layers) mergeInto(value, layer.value, [], layer, givers);
  return { value, givers };
};

const mergeInto = (
  tree: Tree,
  from: Readonly<Record<string, unknown>>,
  above: Path,
  layer: Layer,
  givers: Map<string, Layer>,
): void => {
  for (const [key, next] of Object.entries(from)) {
    if (next === null || next === undefined) continue;
    const path = [...above, key];
    givers.set(joinPath(path), layer);
    if (isPlainMap(next)) {
      if (!isPlainMap(tree[key])) tree[key] = emptyTree();
      mergeInto(tree[key] as Tree, next, path, layer, givers);
      continue;
    }
    if (isPlainMap(tree[key])) forget(givers, joinPath(path));
    tree[key] = next;
  }
};

const forget = (givers: Map<string, Layer>, path: string): void => {
  for (const known of givers.keys()) if (known.startsWith(`${path}.`)) givers.delete(known);
};

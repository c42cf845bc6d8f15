import { isPlainMap, joinPath, type Path, withValueAt } from '../../runtime/dotted-path.ts';
import type { Problem } from '../../runtime/errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { unknownKeys } from '../schema-shape.ts';
import type { Layer } from './layers.ts';
import { bootSchema } from './schema.ts';
import { isWippyKey } from './wippy-keys.ts';

/** Layers without the keys that mean nothing here, and what there is to say about those. */
export const keepKnownKeys = (layers: readonly Layer[]): { layers: readonly Layer[]; problems: readonly Problem[] } => {
  const problems: Problem[] = [];
  const ignored: { layer: Layer; path: Path }[] = [];
  const kept = layers.map((layer) => {
    let value: unknown = layer.value;
    for (const { path, known } of unknownKeys(bootSchema, layer.value)) {
      value = withValueAt(value, path, undefined);
      if (isWippyKey(path)) {
        ignored.push({ layer, path });
        continue;
      }
      const message = `unknown key.${didYouMean(String(path.at(-1)), known)}`;
      problems.push({ ...layer.locate(path, 'key'), message, severity: layer.isLenient ? 'warning' : 'error' });
    }
    return withoutAliases({ ...layer, value: value as Layer['value'] });
  });
  return { layers: kept, problems: [...problems, ...ignoredTogether(ignored)] };
};

/** One warning for all of them (boot.md). */
const ignoredTogether = (ignored: readonly { layer: Layer; path: Path }[]): readonly Problem[] => {
  const [first] = ignored;
  if (first === undefined) return [];
  const names = [...new Set(ignored.map(({ path }) => joinPath(path)))].sort();
  const message = `known from Wippy, without a meaning here, ignored: ${names.join(', ')}`;
  return [{ ...first.layer.locate(first.path, 'key'), path: '', message, severity: 'warning' }];
};

const ALIASES = { enabled: 'enabled', address: 'listen' } as const;

/** `prometheus.enabled` and `.address` are other names for `telemetry.enabled` and `.listen`; where a layer has both, the latter count. */
const withoutAliases = (layer: Layer): Layer => {
  const { prometheus, ...value } = layer.value;
  if (!isPlainMap(prometheus)) return layer;
  const telemetry = value.telemetry ?? {};
  // A section that is no map is reported as what it is.
  if (!isPlainMap(telemetry)) return { ...layer, value };
  const moved: Record<string, unknown> = {};
  for (const [alias, key] of Object.entries(ALIASES)) {
    const given = prometheus[alias] ?? undefined;
    const isSwitch = key === 'enabled' && given === true;
    if (given !== undefined && ((telemetry[key] ?? undefined) === undefined || isSwitch)) moved[key] = given;
  }
  const original = (path: Path): Path => {
    const [section, key] = path;
    if (section !== 'telemetry' || typeof key !== 'string' || !Object.hasOwn(moved, key)) return path;
    return ['prometheus', key === 'listen' ? 'address' : key];
  };
  return {
    ...layer,
    value: { ...value, telemetry: { ...telemetry, ...moved } },
    locate: (path, part) => layer.locate(original(path), part),
    where: (path) => layer.where(original(path)),
  };
};

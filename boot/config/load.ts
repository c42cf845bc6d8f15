import { isPlainMap, joinPath, type Path, valueAt, withValueAt } from '../../runtime/dotted-path.ts';
import type { Problem } from '../../runtime/errors.ts';
import { decode, type SchemaIssue } from '../schema-messages.ts';
import { checkConfig } from './checks.ts';
import { disabledBlocks } from './enabled.ts';
import { type BadVariable, environmentLayers, type Variables } from './env-layer.ts';
import { readBootFiles } from './file-layer.ts';
import { keepKnownKeys } from './known-keys.ts';
import { DEFAULT_ORIGIN, type Layer, type Merged, mergeLayers, type Origin, type Place } from './layers.ts';
import { leavesOf } from './leaves.ts';
import { type BootConfig, bootSchema } from './schema.ts';
import { setLayer } from './set-layer.ts';

export interface ConfigSources {
  /** The app's folder. */
  readonly dir: string;
  /** `--config`, in order; instead of the file of the folder. */
  readonly files?: readonly string[];
  /** `--set`, in order. */
  readonly sets?: readonly string[];
  /** The environment of the program. */
  readonly env: Variables;
}

export interface LoadedConfig {
  /** Decoded. Where something is wrong the default stands; `problems` says so. */
  readonly config: BootConfig;
  /** Every key with the value as one would write it in the file (durations as texts), in the schema's order. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Where each of them came from. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Keys that a file, a variable or `--set` gives. */
  readonly explicit: ReadonlySet<string>;
  /** Everything that is wrong, at once; errors end the start with exit code 2. */
  readonly problems: readonly Problem[];
}

/** Reads the boot file: defaults < files < standard environment variables < `--set` (boot.md). Throws nothing. */
export const loadConfig = (sources: ConfigSources): LoadedConfig => {
  const files = readBootFiles(sources.dir, sources.files ?? []);
  const environment = environmentLayers(sources.env);
  const sets = (sources.sets ?? []).map(setLayer);
  const given = [...files.layers, ...environment.layers, ...sets.flatMap((one) => one.layer ?? [])];
  const known = keepKnownKeys(given);
  const merged = mergeLayers(known.layers);
  const isDisabled = disabledBlocks(merged.value, sources.env);

  const decoded = decodeRepairing(merged, (issue) => !issue.isWrongType && isDisabled(issue.path));
  const { prometheus: _, ...rest } = decoded.config;
  const config = withDerived(rest, merged);
  const values = new Map(leavesOf(bootSchema, decoded.value).filter(([path]) => !path.startsWith('prometheus')));
  const findings = checkConfig(config, isDisabled);
  const samplerGiver = merged.givers.has('otel.sampler') ? 'otel.sampler' : 'otel.sample_rate';
  values.set('otel.sampler', config.otel.sampler);

  const origins = new Map<string, Origin>();
  for (const path of values.keys()) origins.set(path, originOf(merged, path === 'otel.sampler' ? samplerGiver : path));
  if (config.otel.sampler === 'parentbased_always_on' && samplerGiver === 'otel.sample_rate') {
    origins.set('otel.sampler', DEFAULT_ORIGIN);
  }
  for (const path of decoded.dropped) if (origins.has(path)) origins.set(path, DEFAULT_ORIGIN);
  return {
    config,
    values,
    origins,
    explicit: new Set([...values.keys()].filter((path) => merged.givers.has(path))),
    problems: [
      ...files.problems,
      ...sets.flatMap((one) => one.problems),
      ...known.problems,
      ...decoded.issues.map(({ path, message }): Problem => ({ ...placeOf(merged, path), message, severity: 'error' })),
      ...findings.map(({ path, message, severity }): Problem => ({ ...placeOf(merged, path), message, severity })),
      ...environment.bad.map((one) => badVariable(one, values)),
    ],
  };
};

/** Decodes; a value that is wrong is reported and then left out, so that its default lets the rest be checked as well. */
const decodeRepairing = (merged: Merged, isPardoned: (issue: SchemaIssue) => boolean) => {
  let value: unknown = merged.value;
  const issues: SchemaIssue[] = [];
  const dropped: string[] = [];
  for (;;) {
    const result = decode(bootSchema, value);
    if (result.ok) return { config: result.value, value, issues, dropped };
    for (const issue of result.issues) {
      if (!isPardoned(issue)) issues.push(issue);
      // An item of a list cannot be left out alone.
      const item = issue.path.findIndex((step) => typeof step === 'number');
      const path = item < 0 ? issue.path : issue.path.slice(0, item);
      value = withValueAt(value, path, undefined);
      dropped.push(joinPath(path));
    }
  }
};

/** `sample_rate` below 1 asks for the ratio sampler, unless a sampler is named (boot.md). */
const withDerived = (config: BootConfig, merged: Merged): BootConfig =>
  config.otel.sample_rate < 1 && !merged.givers.has('otel.sampler')
    ? { ...config, otel: { ...config.otel, sampler: 'parentbased_traceidratio' } }
    : config;

/** Who gave a path, or the nearest map above it that somebody gave. */
const giverOf = (merged: Merged, path: Path): Layer | undefined => {
  for (let n = path.length; n > 0; n -= 1) {
    const layer = merged.givers.get(joinPath(path.slice(0, n)));
    if (layer !== undefined) return layer;
  }
  return undefined;
};

const originOf = (merged: Merged, dotted: string): Origin => {
  const layer = merged.givers.get(dotted);
  if (layer === undefined) return DEFAULT_ORIGIN;
  const path = pathOfLeaf(merged, dotted);
  return { from: layer.from, where: layer.where(path) };
};

/** Keys of maps may hold dots (`otel.headers`): the steps are read off the value. */
const pathOfLeaf = (merged: Merged, dotted: string): Path => {
  const path: string[] = [];
  let at: unknown = merged.value;
  let rest = dotted;
  while (rest !== '' && isPlainMap(at)) {
    const key = Object.keys(at).find((one) => rest === one || rest.startsWith(`${one}.`)) ?? rest;
    path.push(key);
    at = valueAt(at, [key]);
    rest = rest.slice(key.length + 1);
  }
  return path;
};

const placeOf = (merged: Merged, path: Path): Place => {
  const layer = giverOf(merged, path);
  return layer?.locate(path, 'value') ?? { file: 'default', path: joinPath(path) };
};

const badVariable = ({ name, message, path }: BadVariable, values: ReadonlyMap<string, unknown>): Problem => {
  // A subsystem's level falls back to the level of all.
  const used = path === undefined ? undefined : (values.get(path) ?? values.get('logger.level'));
  const instead = used === undefined ? '' : `; ${String(used)} is used instead`;
  return { file: 'environment', path: name, message: `${message}${instead}`, severity: 'warning' };
};

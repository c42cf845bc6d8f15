import type { Path } from '../../runtime/dotted-path.ts';
import { joinPath } from '../../runtime/dotted-path.ts';
import { LOG_LEVELS, SUBSYSTEMS } from '../../runtime/logger.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import type { Layer } from './layers.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** A variable that says nothing usable (rule 88). `path` is the key whose value is used instead; absent: the variable is ignored. */
export interface BadVariable {
  readonly name: string;
  readonly message: string;
  readonly path?: string;
}

const LEVEL_PREFIX = 'LOG_LEVEL_';

/** One layer per variable that has a key in the boot file (telemetry.md, section 3). The other `OTEL_*` are read by `services/otel/settings.ts`. */
export const environmentLayers = (variables: Variables): { layers: readonly Layer[]; bad: readonly BadVariable[] } => {
  const layers: Layer[] = [];
  const bad: BadVariable[] = [];
  // Empty counts as unset (rule 87).
  const given = Object.entries(variables).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '',
  );
  for (const [name, text] of given.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const read = readVariable(name, text, variables);
    if (read === undefined) continue;
    if ('message' in read) bad.push({ name, ...read });
    else layers.push(variableLayer(name, read.path, read.value));
  }
  return { layers, bad };
};

type Reading = { path: Path; value: unknown } | { message: string; path?: string } | undefined;

const readVariable = (name: string, text: string, variables: Variables): Reading => {
  if (name === 'LOG_LEVEL') return readLevel(['logger', 'level'], text);
  if (name.startsWith(LEVEL_PREFIX)) {
    const subsystem = name.slice(LEVEL_PREFIX.length).toLowerCase();
    if (!(SUBSYSTEMS as readonly string[]).includes(subsystem)) {
      return {
        message: `'${subsystem}' is no subsystem of the log.${didYouMean(subsystem, SUBSYSTEMS)} The variable is ignored.`,
      };
    }
    return readLevel(['logger', 'levels', subsystem], text);
  }
  if (name === 'LOG_FORMAT') {
    const encoding = { json: 'json', text: 'console' }[text.toLowerCase()];
    if (encoding === undefined)
      return { message: `${JSON.stringify(text)} is not one of json, text`, path: 'logger.encoding' };
    return { path: ['logger', 'encoding'], value: encoding };
  }
  if (name === 'OTEL_SERVICE_VERSION') return { path: ['otel', 'service_version'], value: text };
  if (name === 'OTEL_METRICS_EXPORTER') {
    const exporters = text
      .toLowerCase()
      .split(',')
      .map((one) => one.trim());
    // A disabled SDK has no exporters; the boot file's own switch opens the port all the same.
    const isDisabled = variables.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
    return exporters.includes('prometheus') && !isDisabled
      ? { path: ['telemetry', 'enabled'], value: true }
      : undefined;
  }
  return undefined;
};

const readLevel = (path: Path, text: string): Reading => {
  const level = text.toLowerCase();
  if ((LOG_LEVELS as readonly string[]).includes(level)) return { path, value: level };
  return { message: `${JSON.stringify(text)} is not one of ${LOG_LEVELS.join(', ')}`, path: joinPath(path) };
};

const variableLayer = (name: string, path: Path, value: unknown): Layer => ({
  from: 'env',
  value: path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>,
  isLenient: false,
  locate: () => ({ file: 'environment', path: name }),
  where: () => `env ${name}`,
});

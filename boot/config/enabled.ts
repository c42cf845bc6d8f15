import type { Path } from '../../runtime/dotted-path.ts';
import { isPlainMap, valueAt } from '../../runtime/dotted-path.ts';
import type { Variables } from './env-layer.ts';
import { bootSchema } from './schema.ts';

/** Whether a key stands in a block that is switched off: such a block is checked for key names and value types only (rule 127). */
export type IsDisabled = (path: Path) => boolean;

const defaults: unknown = bootSchema.parse({});

/** `value` is what the layers say together, before defaults. */
export const disabledBlocks = (value: unknown, variables: Variables): IsDisabled => {
  const isOff = (block: Path): boolean => {
    const section = valueAt(defaults, block);
    if (!isPlainMap(section) || typeof section.enabled !== 'boolean') return false;
    const given = valueAt(value, [...block, 'enabled']);
    if (typeof given === 'boolean') return !given;
    if (block.length === 1 && block[0] === 'otel' && switchesOtelOn(variables)) return false;
    return !section.enabled;
  };
  return (path) => path.some((_, i) => i > 0 && isOff(path.slice(0, i)));
};

const SWITCHES = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
] as const;
const EXPORTERS = ['OTEL_TRACES_EXPORTER', 'OTEL_METRICS_EXPORTER', 'OTEL_LOGS_EXPORTER'] as const;

/** Where `otel.enabled` is not given, these variables switch on what they name (boot.md). */
const switchesOtelOn = (variables: Variables): boolean => {
  if (variables.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return false;
  return (
    SWITCHES.some((name) => (variables[name] ?? '') !== '') ||
    EXPORTERS.some((name) => /(^|,)\s*otlp/i.test(variables[name] ?? ''))
  );
};

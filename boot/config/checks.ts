import { isPlainMap, joinPath, type Path, splitPath, valueAt } from '../../runtime/dotted-path.ts';
import { SUBSYSTEMS } from '../../runtime/logger.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { parseListen } from '../../services/operations/listen-address.ts';
import type { IsDisabled } from './enabled.ts';
import type { BootConfig } from './schema.ts';

export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** What one key alone cannot tell (boot.md). Blocks that are switched off are left out. */
export const checkConfig = (config: BootConfig, isDisabled: IsDisabled): readonly Finding[] =>
  [
    ...operationsPort(config),
    ...laterVersions(config),
    ...interceptorOrders(config, isDisabled),
    ...subsystems(config),
  ].filter(({ path }) => !isDisabled(path));

const error = (path: string, message: string): Finding => ({ path: splitPath(path), message, severity: 'error' });
const warning = (path: Path, message: string): Finding => ({ path, message, severity: 'warning' });

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const UNSAFE = /[\s\u0000-\u001f\u007f?#%]/;

const operationsPort = ({ telemetry }: BootConfig): readonly Finding[] => {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  for (const [name, path] of Object.entries(telemetry.paths)) {
    const key = `telemetry.paths.${name}`;
    const other = seen.get(path);
    if (!path.startsWith('/')) findings.push(error(key, "must be an absolute path starting with '/'"));
    else if (UNSAFE.test(path))
      findings.push(error(key, "must hold no white space, control character, '?', '#' or '%'"));
    else if (other !== undefined) findings.push(error(key, `must differ from ${other}; both are ${path}`));
    else seen.set(path, key);
  }
  if (parseListen(telemetry.listen) === undefined) {
    const got = JSON.stringify(telemetry.listen);
    findings.push(error('telemetry.listen', `must be host:port with a port from 0 to 65535, got ${got}`));
  }
  return findings;
};

const laterVersions = ({ otel, metrics }: BootConfig): readonly Finding[] => {
  const findings: Finding[] = [];
  if (metrics.semconv) {
    const text = 'the OpenTelemetry standard metrics come in a later version';
    findings.push(warning(['metrics', 'semconv'], text));
  }
  if (otel.protocol === 'grpc') {
    findings.push(error('otel.protocol', 'grpc comes in a later version. Write http/protobuf or http/json.'));
  }
  if (otel.temporal.enabled) {
    findings.push(error('otel.temporal.enabled', 'Temporal comes in a later version. Write false, or remove the key.'));
  }
  return findings;
};

/** Two interceptors of one order would have no defined nesting. */
const interceptorOrders = (config: BootConfig, isDisabled: IsDisabled): readonly Finding[] => {
  const keys = [
    'metrics.interceptor',
    'otel.interceptor',
    ...Object.keys(config.interceptors).map((name) => `interceptors.${name}`),
  ];
  const names: Readonly<Record<string, string>> = { 'metrics.interceptor': 'metrics', 'otel.interceptor': 'tracing' };
  const taken = new Map<number, string>();
  const findings: Finding[] = [];
  for (const key of keys) {
    const path = [...splitPath(key), 'order'];
    const block = valueAt(config, splitPath(key));
    if (!isPlainMap(block) || typeof block.order !== 'number' || isDisabled(path)) continue;
    const other = taken.get(block.order);
    if (other === undefined) {
      taken.set(block.order, key);
      continue;
    }
    const both = [other, key].map((one) => `'${names[one] ?? one.replace('interceptors.', '')}'`).join(' and ');
    const message = `interceptors ${both} both have order ${block.order} (${other}.order, ${joinPath(path)}). Give each its own.`;
    findings.push({ path, message, severity: 'error' });
  }
  return findings;
};

const subsystems = ({ logger }: BootConfig): readonly Finding[] =>
  Object.keys(logger.levels)
    .filter((name) => !(SUBSYSTEMS as readonly string[]).includes(name))
    .map((name) =>
      warning(['logger', 'levels', name], `'${name}' is no subsystem of the log.${didYouMean(name, SUBSYSTEMS)}`),
    );

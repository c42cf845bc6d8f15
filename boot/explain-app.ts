import type { Entry } from '../runtime/entry.ts';
import type { App } from './app.ts';
import { type ExplainRow, explainConfig } from './config/explain.ts';
import { settingsOf } from './settings.ts';
import { SURFACES } from './surfaces.ts';

/** What `validate --explain` prints: every effective value and where it came from, then the entries and their sites. */
export const explainApp = (app: App): readonly string[] => [
  ...explainConfig(app.loaded, otelRows(app)),
  '',
  ...app.registry.all().map((entry) => `${entry.id}  ${entry.kind}${sitesText(app, entry)}`),
];

/** Variables of OpenTelemetry beat the file: the row of a key shows what won; a variable without a key has a row of its own. */
const otelRows = (app: App): readonly ExplainRow[] =>
  Object.entries(app.otel.origins).flatMap(([path, { from, variable, value }]): readonly ExplainRow[] => {
    if (from === 'environment') {
      return [{ path, value: asWritten(path, value), origin: { from: 'env', where: `env ${variable ?? path}` } }];
    }
    // What a file, a flag or the defaults say is in the boot file's own rows, with its place and as it was written.
    return app.loaded.values.has(path) ? [] : [{ path, value, origin: { from: 'default', where: '' } }];
  });

/** Keys whose values are durations: the variables give milliseconds, the file a text. */
const DURATIONS: ReadonlySet<string> = new Set([
  'otel.batch.schedule_delay',
  'otel.batch.export_timeout',
  'otel.metric_export_interval',
  'otel.metric_export_timeout',
]);
const asWritten = (path: string, value: unknown): unknown => (DURATIONS.has(path) ? `${String(value)}ms` : value);

const sitesText = (app: App, entry: Entry): string => {
  const { config } = app.loaded;
  const about = { settings: settingsOf(config, app.root, {}), registry: app.registry };
  const traits = SURFACES.map((surface) => surface.sites?.(entry, about)).find((one) => one !== undefined);
  if (traits === undefined) return '';
  const { interceptors, metrics, otel } = config;
  const isTracing = app.otel.settings.traceExporters.length > 0;
  const all = [
    { name: 'guard', ...interceptors.guard, applies: traits.isGuarded },
    { name: 'retry', ...interceptors.retry, applies: traits.hasOptions },
    { name: 'timeout', ...interceptors.timeout, applies: traits.hasOptions },
    { name: 'metrics', ...metrics.interceptor, applies: traits.isMeasured },
    // `otel.interceptor.enabled` is about function spans: those of other surfaces have switches of their own.
    { name: 'tracing', order: otel.interceptor.order, enabled: isTracing, applies: traits.hasSpan },
    { name: 'logging', ...interceptors.logging, applies: traits.hasLine },
  ];
  const on = all.filter(({ enabled, applies }) => enabled && applies === true).sort((a, b) => a.order - b.order);
  return `  ${on.map(({ name, order }) => `${name} ${order}`).join(' > ') || 'no interceptor'}`;
};

import type { Entry } from '../runtime/entry.ts';
import type { App } from './app.ts';
import { type ExplainRow, explainConfig } from './config/explain.ts';

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

/** What the sites of an entry have, as their surface declares them: an interceptor that finds nothing to do wraps nothing. */
interface SiteTraits {
  readonly isGuarded?: boolean;
  /** Its calls carry options: retry and timeout. */
  readonly hasOptions?: boolean;
  readonly isMeasured?: boolean;
  readonly hasSpan?: boolean;
  readonly hasLine?: boolean;
}

const traitsOf = ({ loaded }: App, entry: Entry): SiteTraits | undefined => {
  const { otel, metrics } = loaded.config;
  switch (entry.kind) {
    case 'function.lua':
      return { hasOptions: true, isMeasured: true, hasSpan: otel.interceptor.enabled };
    case 'http.endpoint':
      return {
        isGuarded: true,
        isMeasured: !isExcluded(metrics.http_exclude, entry),
        hasSpan: otel.http.enabled && !isExcluded(otel.http.exclude, entry),
        hasLine: true,
      };
    case 'queue.queue':
      return { isMeasured: true, hasSpan: otel.queue.enabled };
    case 'queue.consumer': // the span of a delivery is the function's own
      return { isMeasured: true, hasLine: true };
    case 'store.memory':
      return { isMeasured: true, hasSpan: otel.kv.spans, hasLine: true };
    default:
      return undefined;
  }
};

/** By id only: a template needs the router's prefix, which the surface knows. */
const isExcluded = (list: readonly string[], { id, data }: Entry): boolean =>
  list.includes(id) || list.includes(String(data.path));

const sitesText = (app: App, entry: Entry): string => {
  const traits = traitsOf(app, entry);
  if (traits === undefined) return '';
  const { interceptors, metrics, otel } = app.loaded.config;
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

import type { App } from './app.ts';
import { type ExplainRow, explainConfig } from './config/explain.ts';

/** What `validate --explain` prints: every effective value and where it came from, then the entries and their sites. */
export const explainApp = (app: App): readonly string[] => [
  ...explainConfig(app.loaded, otelRows(app)),
  '',
  ...app.registry.all().map((entry) => `${entry.id}  ${entry.kind}${siteText(app, entry.kind)}`),
];

/** Variables of OpenTelemetry beat the file: the row of a key shows what won; a variable without a key has a row of its own. */
const otelRows = (app: App): readonly ExplainRow[] =>
  Object.entries(app.otel.origins).map(([path, origin]) => ({
    path,
    value: origin.value,
    origin:
      origin.from === 'environment'
        ? { from: 'env', where: `env ${origin.variable ?? path}` }
        : origin.from === 'flag'
          ? { from: 'set', where: '--set' }
          : (app.loaded.origins.get(path) ?? { from: origin.from === 'file' ? 'file' : 'default', where: '' }),
  }));

/** Kinds whose calls go through sites, with what may wrap them. */
const WRAPPED: ReadonlySet<string> = new Set([
  'function.lua',
  'http.endpoint',
  'queue.queue',
  'queue.consumer',
  'store.memory',
]);

const siteText = (app: App, kind: string): string => {
  if (!WRAPPED.has(kind)) return '';
  const { config } = app.loaded;
  const { guard, logging } = config.interceptors;
  const all = [
    { name: 'guard', ...guard },
    { name: 'metrics', ...config.metrics.interceptor },
    { name: 'tracing', enabled: true, order: config.otel.interceptor.order },
    { name: 'logging', ...logging },
  ];
  const on = all.filter(({ enabled }) => enabled).sort((a, b) => a.order - b.order);
  return `  ${on.map(({ name, order }) => `${name} ${order}`).join(' > ')}`;
};

import { escapeHelp, escapeQuoted, labelText, sampleStart } from './escaping.ts';

/** Attributes of what a scrape describes, e.g. `service.name`. */
export type Resource = Readonly<Record<string, string | number>>;

/** The lines of each format, before all others. */
export interface TargetInfo {
  readonly text: string;
  readonly openmetrics: string;
}

const HELP = 'What the metrics describe: the resource that spans carry as well.';
/** Names that it takes in both formats; a family of the app that has one of them wins. */
const NAMES: ReadonlySet<string> = new Set(['target', 'target_info']);

export const clashesWithTargetInfo = (families: readonly { readonly name: string }[]): boolean =>
  families.some(({ name }) => NAMES.has(name));

/**
 * The resource as `target_info`, always 1 (OpenTelemetry, "Prometheus and OpenMetrics Compatibility", resource attributes).
 * Attributes whose names become the same label are joined with `;`.
 */
export const targetInfo = (resource: Resource): TargetInfo => {
  const labels = new Map<string, string>();
  for (const [key, value] of Object.entries(resource).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = key.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    const other = labels.get(name);
    labels.set(name, other === undefined ? String(value) : `${other};${value}`);
  }
  const sample = `${sampleStart('target_info', labelText([...labels.keys()], [...labels.values()]))}1\n`;
  return {
    text: `# HELP target_info ${escapeHelp(HELP)}\n# TYPE target_info gauge\n${sample}`,
    // OpenMetrics 1.0, "Supporting target metadata in both push-based and pull-based systems": first of all families.
    openmetrics: `# TYPE target info\n# HELP target ${escapeQuoted(HELP)}\n${sample}`,
  };
};

import { didYouMean } from '../runtime/nearest.ts';

/** What of a metric says whether it can have exponential buckets. */
interface Metric {
  readonly name: string;
  readonly kind: string;
}

const SETTING = 'metrics.exponential_histograms';

/**
 * What is wrong with the names of `metrics.exponential_histograms`, a line each, once the app has started: only then is every
 * metric there. But those that handlers make: a name that stands in a Lua source is taken to be one.
 */
export const exponentialNameProblems = (
  names: readonly string[],
  namespace: string,
  metrics: readonly Metric[],
  sources: readonly string[],
): readonly string[] => {
  const kinds = new Map(metrics.map(({ name, kind }) => [withoutNamespace(name, namespace), kind]));
  const histograms = [...kinds].filter(([, kind]) => kind === 'histogram').map(([name]) => name);
  return names.flatMap((name) => {
    const kind = kinds.get(name);
    if (kind === 'histogram') return [];
    if (kind !== undefined) return [`${SETTING}: '${name}' is no histogram and stays as it is. Remove it.`];
    if (sources.some((source) => source.includes(name))) return [];
    return [`${SETTING}: no metric is called '${name}'.${didYouMean(name, histograms)}`];
  });
};

const withoutNamespace = (name: string, namespace: string): string =>
  name.startsWith(`${namespace}_`) ? name.slice(namespace.length + 1) : name;

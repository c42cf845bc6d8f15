import type { OtlpCollector } from '../../harness/otlp-collector.ts';
import { type Exposition, seriesKey } from '../../harness/prometheus-text.ts';

/** Of the surfaces; those of the process change while they are looked at. */
const isOurs = (name: string): boolean => /^(wippy|eventbus)_/.test(name);

/** Every series of ours in the text, histograms as `count`, `sum` and buckets of their own. */
export const textSeries = (metrics: Exposition): Map<string, number> =>
  new Map(
    metrics.samples
      .filter(({ name }) => isOurs(name))
      .map((sample) => [seriesKey(sample.name, sample.labels), sample.value]),
  );
/** The same of what was pushed. OTLP's buckets are not cumulative, Prometheus' are. */
export const pushedSeries = (collector: OtlpCollector): Map<string, number> => {
  const series = new Map<string, number>();
  for (const name of collector.metricNames().filter(isOurs)) {
    for (const point of collector.points(name)) {
      const labels = point.attributes as Record<string, string>;
      if (point.kind !== 'histogram') {
        series.set(seriesKey(name, labels), point.value);
        continue;
      }
      series.set(seriesKey(`${name}_count`, labels), point.count);
      series.set(seriesKey(`${name}_sum`, labels), point.value);
      let below = 0;
      point.bucketCounts.forEach((count, i) => {
        below += count;
        series.set(seriesKey(`${name}_bucket`, { ...labels, le: String(point.boundaries[i] ?? '+Inf') }), below);
      });
    }
  }
  return series;
};

import type { Family, Series } from '../../runtime/metrics/snapshot.ts';
import { escapeHelp, labelText, sampleStart } from './escaping.ts';
import { formatValue } from './number-format.ts';
import { type SeriesStarts, type TextFormat, textFormat } from './series-text.ts';

/** Text 0.0.4 knows no difference between the two gauges. */
const TYPES = { counter: 'counter', gauge: 'gauge', upDownCounter: 'gauge', histogram: 'histogram' } as const;

const head = ({ name, kind, help }: Family): string =>
  `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${TYPES[kind]}\n`;

const starts = (family: Family, series: Series): SeriesStarts => {
  const { name } = family;
  const labels = labelText(series.labelNames, series.labelValues);
  if (family.kind !== 'histogram') return { value: sampleStart(name, labels), buckets: [], count: '', created: '' };
  const bounds = [...family.boundaries, Number.POSITIVE_INFINITY];
  return {
    value: sampleStart(`${name}_sum`, labels),
    count: sampleStart(`${name}_count`, labels),
    buckets: bounds.map((bound) => sampleStart(`${name}_bucket`, labels, `le="${formatValue(bound)}"`)),
    created: '',
  };
};

const lines = (family: Family, series: Series, start: SeriesStarts): string => {
  if (family.kind !== 'histogram') return `${start.value}${formatValue(series.value)}\n`;
  let text = '';
  let below = 0;
  for (let i = 0; i < start.buckets.length; i += 1) {
    below += series.bucketCounts[i] as number;
    text += `${start.buckets[i]}${below}\n`;
  }
  return `${text}${start.value}${formatValue(series.value)}\n${start.count}${series.count}\n`;
};

/** Prometheus text format 0.0.4. */
export const text004 = (): TextFormat => textFormat(() => ({ head, starts, lines }));

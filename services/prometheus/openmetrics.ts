import type { Exemplar, Family, Series } from '../../runtime/metrics/snapshot.ts';
import { escapeQuoted, labelText, sampleStart } from './escaping.ts';
import { formatCanonical, formatTime, formatValue } from './number-format.ts';
import { type SeriesStarts, type TextFormat, type TextRules, textFormat } from './series-text.ts';

// All rules here: OpenMetrics 1.0 (prometheus/OpenMetrics, specification/OpenMetrics.md).

/** The words of UCUM units that a name may end in. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio', Cel: 'celsius' };

const exemplarText = (exemplar: Exemplar | undefined): string =>
  exemplar === undefined
    ? ''
    : ` # {trace_id="${exemplar.traceId}",span_id="${exemplar.spanId}"} ${formatValue(exemplar.value)} ${formatTime(exemplar.time)}`;

const histogramLines = (series: Series, start: SeriesStarts): string => {
  let text = '';
  let below = 0;
  for (let i = 0; i < start.buckets.length; i += 1) {
    below += series.bucketCounts[i] as number;
    text += `${start.buckets[i]}${below}${exemplarText(series.exemplars[i])}\n`;
  }
  return `${text}${start.count}${series.count}\n${start.value}${formatValue(series.value)}\n`;
};

const rulesFor = (names: ReadonlySet<string>): TextRules => {
  /**
   * A counter's family is named without `_total`. Where the name does not end so, or the shorter one belongs to another
   * family, the type is `unknown`: OpenMetrics knows no other counter.
   */
  const shapeOf = ({ name, kind }: Family): { type: string; base: string } => {
    if (kind === 'upDownCounter') return { type: 'gauge', base: name };
    if (kind !== 'counter') return { type: kind, base: name };
    const base = name.endsWith('_total') ? name.slice(0, -'_total'.length) : '';
    return base === '' || names.has(base) ? { type: 'unknown', base: name } : { type: 'counter', base };
  };

  return {
    head(family) {
      const { type, base } = shapeOf(family);
      const unit = UNIT_WORDS[family.unit];
      // A family with a unit must end in it.
      const unitLine = unit !== undefined && base.endsWith(`_${unit}`) ? `# UNIT ${base} ${unit}\n` : '';
      return `# TYPE ${base} ${type}\n${unitLine}# HELP ${base} ${escapeQuoted(family.help)}\n`;
    },
    starts(family, series) {
      const { type, base } = shapeOf(family);
      const { name } = family;
      const labels = labelText(series.labelNames, series.labelValues);
      const created = type === 'counter' || type === 'histogram' ? sampleStart(`${base}_created`, labels) : '';
      if (type !== 'histogram') return { value: sampleStart(name, labels), buckets: [], count: '', created };
      const bounds = [...family.boundaries, Number.POSITIVE_INFINITY];
      return {
        value: sampleStart(`${name}_sum`, labels),
        count: sampleStart(`${name}_count`, labels),
        buckets: bounds.map((bound) => sampleStart(`${name}_bucket`, labels, `le="${formatCanonical(bound)}"`)),
        created,
      };
    },
    lines(family, series, start) {
      const created = start.created === '' ? '' : `${start.created}${formatTime(series.startTime)}\n`;
      if (family.kind === 'histogram') return histogramLines(series, start) + created;
      // Exemplars belong to `_total` and buckets; an `unknown` cannot have one.
      const exemplar = created === '' ? '' : exemplarText(series.exemplars[0]);
      return `${start.value}${formatValue(series.value)}${exemplar}\n${created}`;
    },
  };
};

/** OpenMetrics text 1.0, without `# EOF`. */
export const openMetrics = (): TextFormat => textFormat(rulesFor);

import type { CapturedExemplar } from '../../runtime/metrics/snapshot.ts';
import { escapeQuoted, labelText, nameText, openSample, sampleStart } from './escaping.ts';
import { flat, type Reading, type TextFormat } from './family-text.ts';
import { escapeMetric } from './name-escaping.ts';
import { formatCanonical, formatTime, formatValue } from './number-format.ts';
import type { TextFamily } from './port.ts';

// All rules here: OpenMetrics 1.0 (prometheus/OpenMetrics, specification/OpenMetrics.md).

const exemplarText = (exemplar: CapturedExemplar | undefined): string => {
  if (exemplar === undefined) return '';
  const { ids, value, time } = exemplar;
  return ` # {trace_id="${ids.traceId}",span_id="${ids.spanId}"} ${formatValue(value)} ${formatTime(time)}`;
};

/**
 * A counter's family is named without `_total`. Where the name does not end so, or something else has the shorter
 * one, the type is `unknown`: OpenMetrics knows no other counter.
 */
const shapeOf = ({ name, kind }: TextFamily, isShortFree: boolean): { type: string; base: string } => {
  if (kind === 'upDownCounter') return { type: 'gauge', base: name };
  if (kind !== 'counter' && kind !== 'info') return { type: kind, base: name };
  const suffix = kind === 'counter' ? '_total' : '_info';
  const base = name.endsWith(suffix) ? name.slice(0, -suffix.length) : '';
  if (base !== '' && isShortFree) return { type: kind, base };
  return { type: kind === 'counter' ? 'unknown' : 'gauge', base: name };
};

/** OpenMetrics text 1.0 (and 0.0.1, which differs in names only), without `# EOF`. */
export const openMetrics: TextFormat = (family, scheme, isShortFree) => {
  const { type, base } = shapeOf(family, isShortFree);
  const name = escapeMetric(scheme, family.name);
  // Escaping keeps the end of a name, so the suffix that OpenMetrics takes off is still there.
  const familyName = name.slice(0, name.length - (family.name.length - base.length));
  const shown = nameText(familyName);
  // A family with a unit must end in it.
  const isUnitShown = family.unit !== '' && family.name === name && base.endsWith(`_${family.unit}`);
  const unit = isUnitShown ? `# UNIT ${shown} ${family.unit}\n` : '';
  const head = `# TYPE ${shown} ${type}\n${unit}# HELP ${shown} ${escapeQuoted(family.help)}\n`;

  if (type === 'histogram') {
    const bounds = [...family.boundaries, Number.POSITIVE_INFINITY].map((bound) => `le="${formatCanonical(bound)}"} `);
    return {
      head,
      lead: (names, values) => labelText(scheme, names, values),
      lines(labels: string, { counts, countsAt, value, startTime, exemplar }: Reading) {
        // Each line brings the line feed of the one before: one text less to put together per bucket.
        const first = openSample(`${name}_bucket`, labels);
        const next = flat(`\n${first}`);
        let text = first;
        let below = 0;
        for (let i = 0; i < bounds.length; i += 1) {
          below += counts[countsAt + i] as number;
          text += i === 0 ? (bounds[i] as string) + below : next + bounds[i] + below;
          const kept = exemplar(i);
          if (kept !== undefined) text += exemplarText(kept);
        }
        text += `\n${sampleStart(`${name}_count`, labels)}${below}\n`;
        text += `${sampleStart(`${name}_sum`, labels)}${formatValue(value)}\n`;
        return `${text}${sampleStart(`${name}_created`, labels)}${formatTime(startTime)}\n`;
      },
    };
  }
  if (type === 'counter') {
    return {
      head,
      lead: (names, values) => labelText(scheme, names, values),
      // Exemplars belong to `_total` and buckets; an `unknown` cannot have one.
      lines: (labels, { value, startTime, exemplar }) =>
        `${sampleStart(name, labels)}${formatValue(value)}${exemplarText(exemplar(0))}\n` +
        `${sampleStart(`${familyName}_created`, labels)}${formatTime(startTime)}\n`,
    };
  }
  return {
    head,
    lead: (names, values) => sampleStart(name, labelText(scheme, names, values)),
    lines: (lead, { value }) => `${lead}${formatValue(value)}\n`,
  };
};

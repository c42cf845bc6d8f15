import { escapeHelp, labelText, nameText, openSample, sampleStart } from './escaping.ts';
import { flat, type Reading, type TextFormat } from './family-text.ts';
import { escapeMetric } from './name-escaping.ts';
import { formatValue } from './number-format.ts';

/** The text formats know no difference between the gauges, and no infos. */
const TYPES = {
  counter: 'counter',
  gauge: 'gauge',
  upDownCounter: 'gauge',
  histogram: 'histogram',
  info: 'gauge',
} as const;

/** Prometheus text 0.0.4, and 1.0.0, which is the same but for names in quotes. */
export const promText: TextFormat = (family, scheme) => {
  const name = escapeMetric(scheme, family.name);
  const shown = nameText(name);
  const head = `# HELP ${shown} ${escapeHelp(family.help)}\n# TYPE ${shown} ${TYPES[family.kind]}\n`;
  if (family.kind !== 'histogram') {
    return {
      head,
      lead: (names, values) => sampleStart(name, labelText(scheme, names, values)),
      lines: (lead, { value }) => `${lead}${formatValue(value)}\n`,
    };
  }
  const bounds = [...family.boundaries, Number.POSITIVE_INFINITY].map((bound) => `le="${formatValue(bound)}"} `);
  return {
    head,
    lead: (names, values) => labelText(scheme, names, values),
    lines(labels: string, { counts, countsAt, value }: Reading) {
      // Each line brings the line feed of the one before: one text less to put together per bucket.
      const first = openSample(`${name}_bucket`, labels);
      const next = flat(`\n${first}`);
      let text = first;
      let below = 0;
      for (let i = 0; i < bounds.length; i += 1) {
        below += counts[countsAt + i] as number;
        text += i === 0 ? (bounds[i] as string) + below : next + bounds[i] + below;
      }
      const sum = `\n${sampleStart(`${name}_sum`, labels)}${formatValue(value)}\n`;
      return `${text}${sum}${sampleStart(`${name}_count`, labels)}${below}\n`;
    },
  };
};

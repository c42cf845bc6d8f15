// OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility"; the tables of units are its.

export const TRANSLATION_STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;
export type TranslationStrategy = (typeof TRANSLATION_STRATEGIES)[number];

/** How a metric of OpenTelemetry is called in Prometheus. */
export interface PrometheusName {
  readonly name: string;
  /** The words of its unit that the name ends in (before `_total`); empty where there are none. */
  readonly unit: string;
}

const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tebibytes',
  KBy: 'kilobytes',
  kBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};
const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

const escaped = (text: string): string => text.replace(/[^a-zA-Z0-9_]+/gu, '_').replace(/_{2,}/g, '_');
const word = (unit: string, words: Readonly<Record<string, string>>): string =>
  words[unit] ?? escaped(unit).replace(/^_|_$/g, '');

/** `By/s` as `bytes_per_second`; empty for what has no words: `1` and annotations such as `{request}`. */
const unitWords = (unit: string): string => {
  const [main = '', per = ''] = unit
    .replace(/\{[^}]*\}/g, '')
    .split('/', 2)
    .map((part) => part.trim());
  const counted = main === '' || main === '1' ? '' : word(main, UNITS);
  const divisor = per === '' ? '' : word(per, PER_UNITS);
  if (divisor === '') return counted;
  return counted === '' ? `per_${divisor}` : `${counted}_per_${divisor}`;
};

/** The name and what it ends in: unit, then `_total` for a counter; each only where it is not there already. */
export const prometheusName = (
  metric: { readonly name: string; readonly unit: string; readonly kind: 'counter' | 'gauge' | 'other' },
  strategy: TranslationStrategy,
): PrometheusName => {
  const isEscaped = strategy.startsWith('Underscore');
  const plain = isEscaped ? escaped(metric.name).replace(/^(?=[0-9])/, '_') : metric.name;
  if (strategy === 'NoTranslation' || strategy === 'UnderscoreEscapingWithoutSuffixes')
    return { name: plain, unit: '' };
  // A gauge of unit 1 is a ratio; a count of unit 1 is not.
  const unit = metric.unit === '1' && metric.kind === 'gauge' ? 'ratio' : unitWords(metric.unit);
  let name = metric.kind === 'counter' ? plain.replace(/[._]total$/, '') : plain;
  /** Escaped names have no two `_` side by side. */
  const append = (suffix: string): string => `${isEscaped ? name.replace(/_$/, '') : name}_${suffix}`;
  const parts = name.split(/[^a-zA-Z0-9]+/);
  const isThere = unit !== '' && `_${parts.join('_')}_`.includes(`_${unit}_`);
  if (unit !== '' && !isThere) name = append(unit);
  const isLast = unit !== '' && name.endsWith(`_${unit}`);
  return { name: metric.kind === 'counter' ? append('total') : name, unit: isLast ? unit : '' };
};

/** The label of an attribute. */
export const prometheusLabel = (key: string, strategy: TranslationStrategy): string => {
  if (!strategy.startsWith('Underscore')) return key;
  return escaped(key).replace(/^(?=[0-9])/, 'key_');
};

export interface LabelSet {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** Text as it is, anything else as JSON. */
const valueText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/**
 * Labels, sorted by name. Attributes that become one label are joined with `;`, in the order of their keys; what is empty
 * is no label.
 */
export const prometheusLabels = (
  attributes: Readonly<Record<string, unknown>>,
  strategy: TranslationStrategy,
  reserved = '',
): LabelSet => {
  const joined = new Map<string, string>();
  for (const key of Object.keys(attributes).sort()) {
    const text = valueText(attributes[key]).toWellFormed();
    if (text === '') continue;
    const label = prometheusLabel(key, strategy).toWellFormed();
    const name = label === reserved || label === '' ? `exported_${label}` : label;
    const known = joined.get(name);
    joined.set(name, known === undefined ? text : `${known};${text}`);
  }
  const names = [...joined.keys()].sort();
  return { names, values: names.map((name) => joined.get(name) as string) };
};

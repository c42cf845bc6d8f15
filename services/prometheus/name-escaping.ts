// Prometheus, "UTF-8 metric and label name escaping schemes" (prometheus.io/docs/instrumenting/escaping_schemes).

export const ESCAPING_SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type EscapingScheme = (typeof ESCAPING_SCHEMES)[number];

const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** Colons are for metrics alone (Prometheus data model). */
const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const isLegacyMetric = (name: string): boolean => LEGACY_METRIC.test(name);
export const isLegacyLabel = (name: string): boolean => LEGACY_LABEL.test(name);

/** Character by character; `isFirst`, because a digit cannot begin a name. */
const mapName = (name: string, isLegacy: (char: string) => boolean, other: (char: string) => string): string => {
  let escaped = '';
  for (const char of name) {
    // Whether it may stand here: at the beginning alone, elsewhere after a letter.
    escaped += char !== '_' && isLegacy(escaped === '' ? char : `a${char}`) ? char : other(char);
  }
  return escaped;
};

const escapeWith = (scheme: EscapingScheme, name: string, isLegacy: (text: string) => boolean): string => {
  switch (scheme) {
    case 'allow-utf-8':
      return name;
    case 'underscores':
      return isLegacy(name) ? name : mapName(name, isLegacy, () => '_');
    case 'dots':
      return mapName(name, isLegacy, (char) => (char === '_' ? '__' : char === '.' ? '_dot_' : '_'));
    case 'values': {
      // A name that needs nothing is not encoded (prometheus/common, `EscapeName`), so that plain names stay readable.
      if (isLegacy(name)) return name;
      const encode = (char: string): string =>
        char === '_' ? '__' : `_${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}_`;
      return `U__${mapName(name.toWellFormed(), isLegacy, encode)}`;
    }
  }
};

export const escapeMetric = (scheme: EscapingScheme, name: string): string => escapeWith(scheme, name, isLegacyMetric);
export const escapeLabel = (scheme: EscapingScheme, name: string): string => escapeWith(scheme, name, isLegacyLabel);

import { type EscapingScheme, escapeLabel, isLegacyLabel, isLegacyMetric } from './name-escaping.ts';

const escapeWith = (pattern: RegExp) => (text: string) =>
  text.replace(pattern, (char) => (char === '\n' ? '\\n' : `\\${char}`));

/** Text 0.0.4 escapes backslash and line feed in help; OpenMetrics the double quote as well. */
export const escapeHelp = escapeWith(/[\\\n]/g);
/** Label values of both formats, OpenMetrics' help, and names that need quotes. */
export const escapeQuoted = escapeWith(/[\\\n"]/g);

/** A family's name where it stands alone, escaped already: in quotes when it is no legacy name. */
export const nameText = (name: string): string => (isLegacyMetric(name) ? name : `"${escapeQuoted(name)}"`);

/** `a="b","c.d"="e"`; empty without labels. */
export const labelText = (scheme: EscapingScheme, names: readonly string[], values: readonly string[]): string => {
  let text = '';
  for (let i = 0; i < names.length; i += 1) {
    const name = escapeLabel(scheme, names[i] as string);
    const quoted = isLegacyLabel(name) ? name : `"${escapeQuoted(name)}"`;
    text += `${i === 0 ? '' : ','}${quoted}="${escapeQuoted(values[i] as string)}"`;
  }
  return text;
};

/** A sample's line up to where one more label can follow, when it has one: `name{a="b",` or `{"na.me",a="b",`. */
export const openSample = (name: string, labels: string): string => {
  const before = isLegacyMetric(name) ? `${name}{` : `{${nameText(name)},`;
  return labels === '' ? before : `${before}${labels},`;
};

/** A sample's line before its value: name and labels. */
export const sampleStart = (name: string, labels: string): string => {
  if (isLegacyMetric(name)) return labels === '' ? `${name} ` : `${name}{${labels}} `;
  return labels === '' ? `{${nameText(name)}} ` : `{${nameText(name)},${labels}} `;
};

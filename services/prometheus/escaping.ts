const escapeWith = (pattern: RegExp) => (text: string) =>
  text.replace(pattern, (char) => (char === '\n' ? '\\n' : `\\${char}`));

/** Text 0.0.4 escapes backslash and line feed in help; OpenMetrics the double quote as well. */
export const escapeHelp = escapeWith(/[\\\n]/g);
/** Label values of both formats, and OpenMetrics' help. */
export const escapeQuoted = escapeWith(/[\\\n"]/g);

/** `a="b",c="d"`; empty without labels. */
export const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.map((name, i) => `${name}="${escapeQuoted(values[i] ?? '')}"`).join(',');

/** The part of a sample's line before its value: name and labels, those of the series first. */
export const sampleStart = (name: string, labels: string, extra = ''): string => {
  const all = labels === '' ? extra : extra === '' ? labels : `${labels},${extra}`;
  return all === '' ? `${name} ` : `${name}{${all}} `;
};

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Shorter texts are in too many other words: hiding them would leave nothing readable. */
const SHORTEST_SECRET = 4;

const NAMES =
  'authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[_-]?key|password|passwd|secret|client_secret|access_token|refresh_token';

/**
 * What is hidden whoever writes it. Every pattern stays inside one text of the JSON line (it ends at a quote or a
 * backslash), so that the line still parses; and none looks back, so that a long line costs linear time.
 */
const patternsOf = (encoding: 'json' | 'console'): readonly (readonly [RegExp, string])[] => {
  // A member of a JSON line; a console line has quoted fields as well. In JSON `="` is a text's end, not a field.
  const separator = encoding === 'json' ? '":' : '(?:":|=)';
  return [
    [new RegExp(`((?:${NAMES})${separator}")(?:[^"\\\\]|\\\\.)*`, 'gi'), `$1${REDACTED}`],
    // A header that somebody put into a text: `Authorization: Basic dXNlcjpwYXNz`.
    [/((?:proxy-)?authorization(?:\\")?\s*[:=]\s*(?:\\")?)(?![\s"\\[{])[^"\\,\r\n]+/gi, `$1${REDACTED}`],
    [/\b(bearer)\s+[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
    // User information of a URL (RFC 3986, section 3.2.1).
    [/:\/\/[^\s/?#"'\\]*@/g, `://${REDACTED}@`],
  ];
};

/** What every match of a pattern holds: its name, or the two slashes of a URL. */
export const SIGNS = /authori|cookie|api[_-]?key|passw|secret|_token|bearer|:\/\//i;

/** Every sign holds one of these characters: a text without any of them need not be asked about. */
export const IN_EVERY_SIGN = /[opr:]/i;

/** False: no pattern can match a line because of this text, wherever it stands in it. */
export const mayHoldSecret = (text: string): boolean => SIGNS.test(text);

/** Takes secrets out of a finished line, JSON or text, without its end. JSON stays JSON. */
export type Redactor = (line: string) => string;

/** @param secrets Texts that no line may hold, e.g. the values of secret variables; those under 4 characters are left alone. */
export const redactor = (secrets: readonly string[], encoding: 'json' | 'console'): Redactor => {
  // Longest first: of a secret that holds another nothing may remain.
  const texts = [...new Set(secrets)].filter((s) => s.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  const patterns = patternsOf(encoding);
  const escaped = texts.map((text) => JSON.stringify(text).slice(1, -1));
  const holds = (line: string): boolean =>
    texts.some((text) => line.includes(text)) || escaped.some((text) => line.includes(text));
  const replaced = (line: string): string => {
    let out = line;
    for (const text of texts) out = out.replaceAll(text, REDACTED);
    for (const text of escaped) out = out.replaceAll(text, REDACTED);
    return out;
  };
  return (line) => {
    let out = line;
    if (holds(out))
      out = encoding === 'json' ? JSON.stringify(redactedValue(JSON.parse(out), replaced)) : replaced(out);
    for (const [pattern, replacement] of patterns) out = out.replace(pattern, replacement);
    return out;
  };
};

/** Every text of a JSON value without the secrets; a number that holds one becomes a text. */
const redactedValue = (value: unknown, replaced: (text: string) => string): unknown => {
  if (typeof value === 'string') return replaced(value);
  if (typeof value === 'number') {
    const text = replaced(String(value));
    return text === String(value) ? value : text;
  }
  if (Array.isArray(value)) return value.map((item) => redactedValue(item, replaced));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [replaced(key), redactedValue(v, replaced)]));
};

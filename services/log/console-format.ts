/** Everything that would end the line, move the cursor or colour what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
const PLAIN = /^[^\s"=\\]+$/;

/** A JSON line for people: `2026-01-31T12:00:00.000Z INFO  http  GET app.api:hello 200 duration_ms=1.2`. */
export const consoleLine = (json: string): string => {
  const { time, level, subsystem, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const head = `${time} ${String(level).toUpperCase().padEnd(5)} ${String(subsystem).padEnd(9)} ${escapeControl(String(msg))}`;
  return Object.entries(fields).reduce((line, [key, value]) => `${line} ${escapeControl(key)}=${shown(value)}`, head);
};

const shown = (value: unknown): string => {
  if (typeof value === 'string' && PLAIN.test(value)) return escapeControl(value);
  return escapeControl(JSON.stringify(value));
};

const escapeControl = (text: string): string =>
  text.replace(CONTROL, (c) => {
    if (c === '\n') return '\\n';
    return c === '\t' ? '\\t' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });

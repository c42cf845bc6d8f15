/** A pid taken apart (lua/process.md, section 1). */
export interface PidParts {
  /** Empty where the pid names no node. */
  readonly node: string;
  /** Id of the process host; of a function call its id and `#`. */
  readonly host: string;
  /** `0x00001`: never reused during a run. */
  readonly unique: string;
}

export const formatPid = (node: string, host: string, unique: number): string => {
  const hex = unique.toString(16).padStart(5, '0');
  return node === '' ? `{${host}|0x${hex}}` : `{${node}@${host}|0x${hex}}`;
};

/** `{host|unique}`, `{node@host|unique}` and the older `{node@host|ns:name|unique}`; undefined for anything else: a name. */
export const parsePid = (text: string): PidParts | undefined => {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  const parts = text.slice(1, -1).split('|');
  const [place = '', ...rest] = parts;
  const unique = rest.at(-1) ?? '';
  if (rest.length === 0 || rest.length > 2 || place === '' || unique === '') return undefined;
  const at = place.indexOf('@');
  return { node: at < 0 ? '' : place.slice(0, at), host: place.slice(at + 1), unique };
};

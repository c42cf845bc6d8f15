/** Keys of maps and indexes of lists, from the outside in. */
export type Path = readonly (string | number)[];

/** `entries[2].pool.size`: the form in which messages show a path. */
export const joinPath = (path: Path): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');

/**
 * The steps of a dotted path; `input.0` and `input[0]` are the same. A key that holds a dot itself (`cors.allow.origins`)
 * comes out as several steps: `pathIn` puts it together again where a value tells which keys there are.
 */
export const splitPath = (text: string): Path =>
  text
    .replace(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((step) => step !== '')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));

export const isPlainMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The steps of `text` as they exist in `value`: keys with dots are found whole, the longest first. */
export const pathIn = (value: unknown, text: string): Path => {
  const steps = splitPath(text);
  const out: (string | number)[] = [];
  let at = value;
  for (let i = 0; i < steps.length; ) {
    let taken = 1;
    let key: string | number = steps[i] ?? '';
    if (isPlainMap(at)) {
      key = String(key);
      for (let n = steps.length - i; n > 1; n -= 1) {
        const whole = steps.slice(i, i + n).join('.');
        if (!Object.hasOwn(at, whole)) continue;
        [key, taken] = [whole, n];
        break;
      }
    }
    out.push(key);
    at = step(at, key);
    i += taken;
  }
  return out;
};

const step = (value: unknown, key: string | number): unknown => {
  if (Array.isArray(value)) return value[Number(key)];
  return isPlainMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
};

/** What stands at a path; undefined where nothing does. */
export const valueAt = (value: unknown, path: Path): unknown => path.reduce<unknown>(step, value);

/** A copy of `value` with `next` at a path; maps that are missing on the way are made, `undefined` removes. */
export const withValueAt = (value: unknown, path: Path, next: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  const inner = withValueAt(step(value, key), rest, next);
  if (Array.isArray(value) && Number.isInteger(Number(key))) {
    const copy = [...value];
    copy[Number(key)] = inner;
    return copy;
  }
  const copy = isPlainMap(value) ? { ...value } : {};
  if (inner === undefined) delete copy[key];
  else Object.defineProperty(copy, key, { value: inner, enumerable: true, configurable: true, writable: true });
  return copy;
};

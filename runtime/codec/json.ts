import { CallError, messageOf } from '../errors.ts';
import {
  type HostValue,
  hostObject,
  type LuaKey,
  type LuaReference,
  LuaTable,
  type LuaValue,
  luaReference,
  textOf,
} from '../lua/values.ts';
import { codecError, DataPath } from './data-path.ts';

/**
 * Size of one text, where every value counts its characters and 16 more (as extensions.md, section 2 counts results):
 * tables that share tables can stand for more than any memory holds.
 */
const MAX_SIZE = 64 * 1024 * 1024;
const VALUE_SIZE = 16;
/** Levels of arrays and objects that `decodeJson` accepts: as many as a value that crosses calls may have. */
const MAX_DECODE_DEPTH = 10_000;

/**
 * JSON text of a Lua value or of plain host data (lua/json.md, "encode").
 * @throws CallError Internal, retryable false: `recursive table at <path>`, `cannot encode mixed-key table`,
 * `cannot encode sparse array`, nesting deeper than 128, or a value above 64 MiB.
 */
export const encodeJson = (value: LuaValue | HostValue): string => new Encoder().encode(value);

class Encoder {
  readonly #path = new DataPath();
  #size = 0;

  encode(value: LuaValue | HostValue): string {
    switch (typeof value) {
      case 'string':
        return this.#counted(quote(value));
      case 'number':
        return this.#counted(encodeNumber(value));
      case 'boolean':
        return this.#counted(value ? 'true' : 'false');
      case 'object':
        return value === null ? this.#counted('null') : this.#object(value);
      default:
        return this.#counted('null');
    }
  }

  #object(value: object): string {
    if (value instanceof LuaTable) return this.#table(value);
    if (value instanceof Uint8Array) return this.#counted(quote(textOf(value)));
    if (value instanceof CallError) return this.#counted(quote(value.message));
    if (Array.isArray(value)) return this.#array(value);
    if (luaReference in value) return this.encode((value as LuaReference).copy());
    if (hostObject in value || !isPlain(value)) return this.#counted('null'); // functions, userdata, host objects
    this.#path.enter(value);
    const text = this.#members(Object.entries(value));
    this.#path.leave();
    return text;
  }

  #table(table: LuaTable): string {
    const { map } = table;
    if (map.size === 0) return this.#counted(table.isEmptyObject ? '{}' : '[]');
    this.#path.enter(table);
    const text =
      shapeOf(map) === 'array' ? this.#sequence(map) : this.#members(map as Map<string | Uint8Array, LuaValue>);
    this.#path.leave();
    return text;
  }

  #sequence(map: ReadonlyMap<LuaKey, LuaValue>): string {
    let text = '';
    for (let i = 1; i <= map.size; i += 1) {
      this.#path.at(i);
      text += i === 1 ? this.encode(map.get(i)) : `,${this.encode(map.get(i))}`;
    }
    return this.#counted(`[${text}]`, 2);
  }

  #array(items: readonly HostValue[]): string {
    this.#path.enter(items);
    let text = '';
    for (const [i, item] of items.entries()) {
      this.#path.at(i + 1);
      text += i === 0 ? this.encode(item) : `,${this.encode(item)}`;
    }
    this.#path.leave();
    return this.#counted(`[${text}]`, 2);
  }

  #members(entries: Iterable<readonly [string | Uint8Array, HostValue]>): string {
    let text = '';
    for (const [rawKey, value] of entries) {
      if (value === undefined) continue;
      const key = textOf(rawKey);
      this.#path.at(key);
      const name = this.#counted(quote(key));
      text += text === '' ? `${name}:${this.encode(value)}` : `,${name}:${this.encode(value)}`;
    }
    return this.#counted(`{${text}}`, 2);
  }

  /** `added`: how much of `text` was not counted before. */
  #counted(text: string, added = text.length): string {
    this.#size += added + VALUE_SIZE;
    if (this.#size > MAX_SIZE) throw codecError(`value too large for JSON: above ${MAX_SIZE} bytes at ${this.#path}`);
    return text;
  }
}

/** @throws CallError for keys that neither an array nor an object can have. */
const shapeOf = (map: ReadonlyMap<LuaKey, LuaValue>): 'array' | 'object' => {
  let numbers = 0;
  let strings = 0;
  let highest = 0;
  let isSparse = false;
  for (const key of map.keys()) {
    if (typeof key === 'string' || key instanceof Uint8Array) strings += 1;
    else if (typeof key === 'number') {
      numbers += 1;
      if (!Number.isInteger(key) || key < 1) isSparse = true;
      else if (key > highest) highest = key;
    } else throw codecError(`cannot encode table with a ${typeof key === 'boolean' ? 'boolean' : 'table'} key`);
  }
  if (numbers === 0) return 'object';
  if (strings > 0) throw codecError('cannot encode mixed-key table');
  if (isSparse || highest !== map.size) throw codecError('cannot encode sparse array');
  return 'array';
};

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

// A lone surrogate has no UTF-8 form: it becomes U+FFFD, like any other invalid sequence.
const quote = (text: string): string =>
  text.length <= SHORT && isPlainText(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());

/** Up to this length a loop beats the set-up cost of what the platform has. */
const SHORT = 24;

/** Printable ASCII that nothing has to be put before. */
const isPlainText = (text: string): boolean => {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
};

/** JavaScript's form is the shortest that reads back the same, without exponent below 1e21; -0 is `0`. */
const encodeNumber = (n: number): string => (Number.isFinite(n) ? String(n) : 'null');

/**
 * The Lua value of a JSON text (lua/json.md, "decode"): null is nil, so a member is absent and an array has a hole.
 * Bytes that are not UTF-8 are read as U+FFFD.
 * @throws CallError Internal, retryable false, for what is no JSON text, numbers beyond a double's range, and nesting
 * deeper than 10,000. The message holds at most one character of the text, which may be a secret.
 */
export const decodeJson = (text: string | Uint8Array): LuaValue => {
  const parsed = parse(textOf(text));
  const open: Opened[] = [];
  const root = convert(parsed, 1, open);
  // A list instead of recursion: the depth of the text is the sender's choice, that of our stack is not.
  for (let next = open.pop(); next !== undefined; next = open.pop()) fill(next, open);
  return root;
};

interface Opened {
  readonly source: object;
  readonly table: LuaTable;
  readonly depth: number;
}

const fill = ({ source, table, depth }: Opened, open: Opened[]): void => {
  if (Array.isArray(source)) {
    for (const [i, item] of source.entries()) {
      if (item !== null) table.map.set(i + 1, convert(item, depth + 1, open));
    }
    return;
  }
  for (const [key, member] of Object.entries(source)) {
    if (member !== null) table.map.set(key.toWellFormed(), convert(member, depth + 1, open));
  }
};

const convert = (value: unknown, depth: number, open: Opened[]): LuaValue => {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed();
    case 'number':
      if (!Number.isFinite(value)) throw codecError('malformed JSON: number out of range');
      return value;
    case 'boolean':
      return value;
    default:
      break;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > MAX_DECODE_DEPTH) throw codecError(`malformed JSON: nesting deeper than ${MAX_DECODE_DEPTH}`);
  const table = new LuaTable(undefined, { isEmptyObject: isEmpty(value) });
  open.push({ source: value, table, depth });
  return table;
};

/** Whether an object has no member that Lua can see. */
const isEmpty = (value: object): boolean => {
  if (Array.isArray(value)) return false;
  for (const key in value) if ((value as Record<string, unknown>)[key] !== null) return false;
  return true;
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault (`Unexpected token 'x', "..." is not valid JSON`): it would leak into spans.
    const fault = messageOf(error).replace(/, (?:\.\.\.)?".*$/s, '');
    throw codecError(`malformed JSON: ${fault}`);
  }
};

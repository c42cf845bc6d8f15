import { type CallError, invalid } from '../../runtime/errors.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { OPS, type Op } from './change.ts';

export interface StreamOptions {
  readonly tables: readonly string[] | undefined;
  readonly ops: readonly Op[] | undefined;
  readonly buffer: number;
  readonly maxBytes: number;
  readonly snapshot: boolean;
  readonly after: string | undefined;
}

const MAX_ITEMS = 65_536;
const MAX_BUFFER = 65_536;
const KEYS: ReadonlySet<unknown> = new Set(['tables', 'ops', 'buffer', 'max_bytes', 'snapshot', 'after']);

/** The options of `cdc.stream` (lua/cdc.md, section 2). @throws CallError Invalid naming the option. */
export const streamOptions = (value: LuaValue): StreamOptions => {
  if (value !== undefined && !(value instanceof LuaTable)) throw invalid('stream options must be a table');
  const options = value ?? new LuaTable();
  for (const key of options.map.keys()) if (!KEYS.has(key)) throw unknownField(key);
  const ops = texts(options, 'ops');
  return {
    tables: texts(options, 'tables'),
    ops: ops?.map(knownOp),
    buffer: positive(options, 'buffer', 64, MAX_BUFFER),
    maxBytes: positive(options, 'max_bytes', 1024 * 1024, Number.MAX_SAFE_INTEGER),
    snapshot: flag(options, 'snapshot'),
    after: cursor(options),
  };
};

const unknownField = (key: unknown): CallError =>
  invalid(
    typeof key === 'string'
      ? `stream options contains unknown field: ${key}`
      : 'stream options contains unknown or non-string field',
  );

const texts = (options: LuaTable, name: string): readonly string[] | undefined => {
  const list = options.get(name);
  if (list === undefined) return undefined;
  if (!(list instanceof LuaTable)) throw invalid(`${name} must be an array of strings`);
  if (list.map.size > MAX_ITEMS) throw invalid(`${name} must contain at most ${MAX_ITEMS} entries`);
  for (const item of list.map.values()) if (!isLuaString(item)) throw invalid(`${name} must be an array of strings`);
  if (list.length !== list.map.size) throw invalid(`${name} must be a contiguous array of strings`);
  const found = list.sequence().map((item) => textOf(item as string | Uint8Array).trim());
  if (found.includes('')) throw invalid(`${name} must contain non-empty strings`);
  return found.length === 0 ? undefined : found;
};

const knownOp = (text: string): Op => {
  const found = OPS.find((op) => op === text.toLowerCase());
  if (found === undefined) throw invalid(`ops contains unknown operation: ${text}. Known: ${OPS.join(', ')}`);
  return found;
};

const positive = (options: LuaTable, name: string, byDefault: number, max: number): number => {
  const value = options.get(name);
  if (value === undefined) return byDefault;
  if (typeof value !== 'number') throw invalid(`${name} must be a number`);
  if (!Number.isInteger(value) || value < 1) throw invalid(`${name} must be a positive integer`);
  if (value > max) throw invalid(`${name} must be at most ${max}`);
  return value;
};

const flag = (options: LuaTable, name: string): boolean => {
  const value = options.get(name);
  if (value !== undefined && typeof value !== 'boolean') throw invalid(`${name} must be a boolean`);
  return value === true;
};

const cursor = (options: LuaTable): string | undefined => {
  const value = options.get('after');
  if (value === undefined) return undefined;
  if (!isLuaString(value)) throw invalid('after must be a string');
  if (value.length === 0) throw invalid('after must not be empty');
  return textOf(value);
};

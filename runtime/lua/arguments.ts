import { generalText } from './decimal.ts';
import { LuaRaise } from './engine.ts';
import { isLuaString, LuaOpaque, LuaTable, type LuaValue, textOf } from './values.ts';

/** Lua's name of a value's type. */
export const luaTypeOf = (value: LuaValue): string => {
  if (value === undefined) return 'nil';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'number';
  if (isLuaString(value)) return 'string';
  if (value instanceof LuaTable) return 'table';
  if (value instanceof LuaOpaque) return value.type === 'channel' ? 'userdata' : value.type;
  return 'userdata';
};

/** `bad argument #1 to 'get' (string expected, got nil)`. `position` counts from 1. */
export const badArgument = (position: number, name: string, expected: string, got: LuaValue | string): LuaRaise =>
  new LuaRaise(
    `bad argument #${position} to '${name}' (${expected} expected, got ${typeof got === 'string' && got === 'no value' ? got : luaTypeOf(got as LuaValue)})`,
  );

const absent = (args: readonly LuaValue[], position: number): LuaValue | string =>
  position > args.length ? 'no value' : args[position - 1];

/** Numbers are accepted where a string is expected, and printed as Lua does (common.md, section 5). */
export const numberText = (n: number): string => {
  if (Number.isInteger(n) && Math.abs(n) < 2 ** 53) return String(n === 0 ? 0 : n);
  if (n === Number.POSITIVE_INFINITY) return 'inf';
  if (n === Number.NEGATIVE_INFINITY) return '-inf';
  if (Number.isNaN(n)) return 'nan';
  // The shortest text is the same as below where it has 14 digits or fewer.
  const shortest = String(n);
  if (shortest.length <= 15 && Math.abs(n) >= 1e-4 && !shortest.includes('e')) return shortest;
  return generalText(n, 14); // Lua's "%.14g".
};

/** Argument `position` as text; a number is converted, other types raise. Bytes that are not UTF-8 are kept. */
export const stringArgument = (args: readonly LuaValue[], position: number, name: string): string | Uint8Array => {
  const value = args[position - 1];
  if (isLuaString(value)) return value;
  if (typeof value === 'number') return numberText(value);
  throw badArgument(position, name, 'string', absent(args, position) as LuaValue);
};
/** The same as text: for names, keys and ids. */
export const textArgument = (args: readonly LuaValue[], position: number, name: string): string =>
  textOf(stringArgument(args, position, name));
export const numberArgument = (args: readonly LuaValue[], position: number, name: string): number => {
  const value = args[position - 1];
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw badArgument(position, name, 'number', absent(args, position) as LuaValue);
};
export const tableArgument = (args: readonly LuaValue[], position: number, name: string): LuaTable => {
  const value = args[position - 1];
  if (value instanceof LuaTable) return value;
  throw badArgument(position, name, 'table', absent(args, position) as LuaValue);
};
/** A table or nothing; any other type raises. */
export const optionalTable = (args: readonly LuaValue[], position: number, name: string): LuaTable | undefined =>
  args[position - 1] === undefined ? undefined : tableArgument(args, position, name);

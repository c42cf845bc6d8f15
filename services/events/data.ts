import { hostDataOf } from '../../runtime/codec/host-data.ts';
import { CallError } from '../../runtime/errors.ts';
import { type HostValue, hostObject, LuaOpaque, LuaTable, luaReference } from '../../runtime/lua/values.ts';

/** Levels of arrays and objects inside each other that are converted; what is deeper is nil. */
const MAX_DEPTH = 128;
const INT64 = 2n ** 63n;

/**
 * A copy of what a component sends, as far as Lua can represent it (lua/events.md, section 4; lua/common.md, section
 * 7): dates are Unix seconds, integers beyond 2^53 are rounded, errors become error values. Functions, symbols, host
 * objects, and what contains itself are nil. Throws nothing.
 */
export const eventData = (data: unknown): HostValue => convert(data, []);

const convert = (value: unknown, around: readonly object[]): HostValue => {
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'string':
      return value;
    case 'bigint':
      return value >= -INT64 && value < INT64 ? Number(value) : null;
    case 'object':
      return value === null ? null : convertObject(value, around);
    default:
      return null;
  }
};

const convertObject = (value: object, around: readonly object[]): HostValue => {
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof CallError) return value;
  if (value instanceof Error) return new CallError(value.message, { kind: 'Internal', cause: value });
  if (value instanceof LuaOpaque || luaReference in value || hostObject in value) return null;
  if (around.includes(value) || around.length === MAX_DEPTH) return null;
  const inside = [...around, value];
  if (value instanceof LuaTable) return tableData(value);
  if (Array.isArray(value)) return value.map((item) => convert(item, inside));
  if (value instanceof Set) return [...value].map((item) => convert(item, inside));
  const members = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(members.map(([key, member]) => [String(key), convert(member, inside)]));
};

const tableData = (table: LuaTable): HostValue => {
  try {
    return hostDataOf(table);
  } catch (error) {
    if (error instanceof CallError) return null; // it contains itself, or is nested too deep
    throw error;
  }
};

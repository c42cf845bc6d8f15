import { CallError } from '../errors.ts';
import { numberText } from '../lua/arguments.ts';
import { refuseOpaqueRecord } from '../lua/plain-record.ts';
import {
  type HostValue,
  hostObject,
  type LuaKey,
  LuaOpaque,
  type LuaReference,
  LuaTable,
  type LuaValue,
  luaReference,
  textOf,
} from '../lua/values.ts';
import { codecError, DataPath } from './data-path.ts';

/** A Lua value without its Lua: what stores, events, error details and log fields hold. Bytes are no valid UTF-8. */
export type HostData =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly HostData[]
  | { readonly [key: string]: HostData };

/** Holes that one array may have: `{[1e9] = 1}` would otherwise be an array of a thousand million nulls. */
const MAX_HOLES = 1_000_000;

/**
 * Lua to host data (lua/common.md, section 7): a table with any positive integer key is an array of 1..max with null
 * in its holes, any other table a map with its keys as text; functions, threads and userdata are their text.
 * @throws CallError Internal, retryable false: `recursive table at <path>`, nesting deeper than 128, too many holes.
 */
export const hostDataOf = (value: LuaValue): HostData => convert(value, new DataPath());

const convert = (value: LuaValue, path: DataPath): HostData => {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (value instanceof LuaTable) {
    path.enter(value);
    const data = convertTable(value.map, path);
    path.leave();
    return data;
  }
  if (luaReference in value) return convert((value as LuaReference).copy(), path);
  return textOfOpaque(value);
};

const convertTable = (map: ReadonlyMap<LuaKey, LuaValue>, path: DataPath): HostData => {
  let highest = 0;
  for (const key of map.keys()) {
    if (typeof key === 'number' && key > highest && Number.isInteger(key)) highest = key;
  }
  if (highest - map.size > MAX_HOLES) throw codecError(`array with more than ${MAX_HOLES} holes at ${path}`);
  if (highest > 0) {
    const items: HostData[] = [];
    for (let i = 1; i <= highest; i += 1) {
      path.at(i);
      items.push(convert(map.get(i), path));
    }
    return items;
  }
  const members: [string, HostData][] = [];
  for (const [rawKey, member] of map) {
    const key = textOfKey(rawKey);
    path.at(key);
    members.push([key, convert(member, path)]);
  }
  return Object.fromEntries(members); // defines `__proto__` like any other key
};

const textOfKey = (key: LuaKey): string => {
  if (typeof key === 'string' || key instanceof Uint8Array) return textOf(key);
  if (typeof key === 'number') return numberText(key);
  return typeof key === 'boolean' ? String(key) : textOfOpaque(key);
};

/** The text of what has no meaning outside Lua; an error value is its message. */
const textOfOpaque = (value: object): string => {
  if (value instanceof CallError) return value.message;
  if (value instanceof LuaOpaque) return value.text;
  return value instanceof LuaTable ? 'table' : 'userdata';
};

/** Host data as Lua sees it: arrays count from 1, null is nil, so a member is absent and an array has a hole. */
export const luaValueOf = (data: HostValue): LuaValue => {
  if (data === null) return undefined;
  if (typeof data !== 'object' || data instanceof LuaTable || data instanceof Uint8Array) return data;
  if (data instanceof CallError || data instanceof LuaOpaque || luaReference in data || hostObject in data) {
    return data as LuaValue;
  }
  const table = new LuaTable();
  if (Array.isArray(data)) {
    for (const [i, item] of data.entries()) put(table, i + 1, luaValueOf(item));
  } else {
    refuseOpaqueRecord(data);
    for (const [key, member] of Object.entries(data)) put(table, key, luaValueOf(member));
  }
  return table;
};

const put = (table: LuaTable, key: LuaKey, value: LuaValue): void => {
  if (value !== undefined) table.map.set(key, value);
};

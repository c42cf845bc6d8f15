import { invalid } from '../../runtime/errors.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import type { ListQuery, PutOptions } from './backend.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const VERSION = /^[1-9]\d*$/;

const optionsTable = (value: LuaValue): LuaTable => {
  if (value === undefined) return new LuaTable();
  if (!(value instanceof LuaTable)) throw invalid('options must be a table');
  return value;
};

/** The options of `list` (lua/store.md, section 4). @throws CallError Invalid naming the option. */
export const listQuery = (value: LuaValue): ListQuery => {
  const options = optionsTable(value);
  const text = (name: string): string => {
    const given = options.get(name);
    if (given === undefined) return '';
    if (!isLuaString(given)) throw invalid(`${name} must be a string`);
    return textOf(given);
  };
  const limit = options.get('limit') ?? DEFAULT_LIMIT;
  const prefix = text('prefix');
  const after = text('after');
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0) {
    throw invalid('limit must be a non-negative integer');
  }
  return { prefix, after, limit: limit === 0 ? DEFAULT_LIMIT : Math.min(limit, MAX_LIMIT) };
};

/** The options of `put` (lua/store.md, section 5). @throws CallError Invalid naming the option. */
export const putOptions = (value: LuaValue): PutOptions => {
  const options = optionsTable(value);
  const ttl = options.get('ttl');
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl >= 0)) {
    throw invalid('ttl must be a non-negative number');
  }
  const onlyIfAbsent = options.get('only_if_absent');
  if (onlyIfAbsent !== undefined && typeof onlyIfAbsent !== 'boolean') {
    throw invalid('only_if_absent must be a boolean');
  }
  const version = options.get('if_version');
  if (version === undefined) return { ttl, onlyIfAbsent };
  if (typeof version !== 'string' || !VERSION.test(version)) {
    throw invalid('if_version must be a positive version');
  }
  if (onlyIfAbsent === true) throw invalid('only_if_absent and if_version are mutually exclusive');
  return { ttl, onlyIfAbsent, ifVersion: version };
};

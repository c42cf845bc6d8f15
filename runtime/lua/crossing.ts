import { CallError } from '../errors.ts';
import { LuaTable, type LuaValue } from './values.ts';

const crosses = (value: LuaValue): boolean =>
  typeof value !== 'object' || value instanceof LuaTable || value instanceof Uint8Array || value instanceof CallError;

/**
 * What a value is on the other side of a call: functions, threads and host objects become nil, at the top and in
 * tables (lua/conventions.md, section 5). Works on the copy that the host function was given, in place.
 */
export const crossing = (value: LuaValue): LuaValue => {
  if (!crosses(value)) return undefined;
  if (!(value instanceof LuaTable)) return value;
  const seen = new Set<LuaTable>([value]);
  for (const table of seen) {
    for (const [key, member] of table.map) {
      if (!crosses(member)) table.map.delete(key);
      else if (member instanceof LuaTable) seen.add(member); // a set's loop also visits what is added meanwhile
    }
  }
  return value;
};

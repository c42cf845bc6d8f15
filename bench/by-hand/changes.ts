import { fileURLToPath } from 'node:url';
import type { Pgoutput } from 'pg-logical-replication';
import { type LuaState, lauxlib, loadMain, lua, newState, takeError, to_luastring } from './fengari.ts';

/** Field names come again and again: their bytes are kept. */
const bytesOfNames = (): ((name: string) => Uint8Array) => {
  const known = new Map<string, Uint8Array>();
  return (name) => {
    let bytes = known.get(name);
    if (bytes === undefined) {
      bytes = to_luastring(name);
      known.set(name, bytes);
    }
    return bytes;
  };
};

/**
 * The handler of bench/apps/changes-lua on the original fengari: one state, a table of what it needs per change and row, no
 * coroutine. `onHandled` is what its `events.send` calls.
 */
export const luaChanges = (onHandled: () => void): ((lsn: string, message: Pgoutput.Message) => void) => {
  const L = newState();
  const name = bytesOfNames();
  const open = (state: LuaState): number => {
    lua.lua_createtable(state, 0, 1);
    lua.lua_pushcfunction(state, () => {
      onHandled();
      return 0;
    });
    lua.lua_setfield(state, -2, name('send'));
    return 1;
  };
  lauxlib.luaL_requiref(L, name('events'), open, 0);
  lua.lua_pop(L, 1);
  const main = loadMain(L, fileURLToPath(new URL('../apps/changes-lua/handle.lua', import.meta.url)));

  const pushValue = (value: unknown): void => {
    if (typeof value === 'number') lua.lua_pushnumber(L, value);
    else if (typeof value === 'boolean') lua.lua_pushboolean(L, value ? 1 : 0);
    else lua.lua_pushstring(L, to_luastring(String(value)));
  };
  const setText = (field: string, text: string): void => {
    lua.lua_pushstring(L, to_luastring(text));
    lua.lua_setfield(L, -2, name(field));
  };
  const setRow = (field: string, row: Readonly<Record<string, unknown>> | null): void => {
    if (row === null) return;
    lua.lua_createtable(L, 0, 8);
    for (const column in row) {
      const value = row[column];
      if (value === null || value === undefined) continue;
      pushValue(value);
      lua.lua_setfield(L, -2, name(column));
    }
    lua.lua_setfield(L, -2, name(field));
  };

  return (lsn, message) => {
    if (message.tag !== 'insert' && message.tag !== 'update' && message.tag !== 'delete') return;
    const { relation } = message;
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, main);
    lua.lua_createtable(L, 0, 8);
    setText('op', message.tag);
    setText('schema', relation.schema);
    setText('table', relation.name);
    setText('lsn', lsn);
    if (message.tag !== 'insert') setRow('before', message.old ?? message.key);
    if (message.tag !== 'delete') setRow('after', message.new);
    if (lua.lua_pcall(L, 1, 0, 0) !== lua.LUA_OK) throw takeError(L);
  };
};

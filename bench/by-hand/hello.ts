import { fileURLToPath } from 'node:url';
import { type LuaState, lauxlib, loadMain, lua, newState, takeError, to_luastring } from './fengari.ts';

/** What the Lua of one request sees and does. The handler never waits, so there is one at a time. */
export interface Exchange {
  query(name: string): string | undefined;
  writeJson(value: unknown): void;
}

/** A value of the stack as JSON knows it: tables are objects here, as in the one answer that hello.lua gives. */
const valueAt = (L: LuaState, index: number): unknown => {
  const type = lua.lua_type(L, index);
  if (type === lua.LUA_TNUMBER) return lua.lua_tonumber(L, index);
  if (type === lua.LUA_TBOOLEAN) return lua.lua_toboolean(L, index);
  if (type !== lua.LUA_TTABLE) return lua.lua_tojsstring(L, index);
  const out: Record<string, unknown> = {};
  lua.lua_pushnil(L);
  while (lua.lua_next(L, index) !== 0) {
    out[lua.lua_tojsstring(L, -2)] = valueAt(L, lua.lua_gettop(L));
    lua.lua_pop(L, 1);
  }
  return out;
};

/** hello.lua on the original fengari, with an `http` module written for it: its tables are made once, not per request. */
export const luaHello = (): ((exchange: Exchange) => void) => {
  const L = newState();
  let current: Exchange | undefined;
  const exchange = (): Exchange => {
    if (current === undefined) throw new Error('no request');
    return current;
  };

  const object = (name: string, method: (state: LuaState) => number): number => {
    lua.lua_createtable(L, 0, 1);
    lua.lua_pushcfunction(L, method);
    lua.lua_setfield(L, -2, to_luastring(name));
    return lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX);
  };
  const request = object('query', (state) => {
    const value = exchange().query(lua.lua_tojsstring(state, 2));
    if (value === undefined) lua.lua_pushnil(state);
    else lua.lua_pushstring(state, to_luastring(value));
    return 1;
  });
  const response = object('write_json', (state) => {
    exchange().writeJson(valueAt(state, 2));
    return 0;
  });
  const returns = (reference: number) => (state: LuaState) => {
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, reference);
    return 1;
  };
  const open = (state: LuaState): number => {
    lua.lua_createtable(state, 0, 2);
    lua.lua_pushcfunction(state, returns(request));
    lua.lua_setfield(state, -2, to_luastring('request'));
    lua.lua_pushcfunction(state, returns(response));
    lua.lua_setfield(state, -2, to_luastring('response'));
    return 1;
  };
  lauxlib.luaL_requiref(L, to_luastring('http'), open, 0);
  lua.lua_pop(L, 1);

  const main = loadMain(L, fileURLToPath(new URL('../apps/hello/hello.lua', import.meta.url)));
  return (next) => {
    current = next;
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, main);
    if (lua.lua_pcall(L, 0, 0, 0) !== lua.LUA_OK) throw takeError(L);
  };
};

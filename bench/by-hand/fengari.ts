import { createRequire } from 'node:module';

/** fengari's C API, as far as a host program needs it; the package brings no types. */
export interface LuaApi {
  readonly LUA_OK: number;
  readonly LUA_REGISTRYINDEX: number;
  lua_createtable(L: LuaState, items: number, fields: number): void;
  lua_getfield(L: LuaState, index: number, key: Uint8Array): number;
  lua_gettop(L: LuaState): number;
  lua_next(L: LuaState, index: number): number;
  lua_pcall(L: LuaState, args: number, results: number, handler: number): number;
  lua_pop(L: LuaState, count: number): void;
  lua_pushboolean(L: LuaState, value: number): void;
  lua_pushcfunction(L: LuaState, body: (L: LuaState) => number): void;
  lua_pushnil(L: LuaState): void;
  lua_pushnumber(L: LuaState, value: number): void;
  lua_pushstring(L: LuaState, text: Uint8Array | string): void;
  lua_rawgeti(L: LuaState, index: number, key: number): number;
  lua_setfield(L: LuaState, index: number, key: Uint8Array): void;
  lua_toboolean(L: LuaState, index: number): boolean;
  lua_tojsstring(L: LuaState, index: number): string;
  lua_tonumber(L: LuaState, index: number): number;
  lua_type(L: LuaState, index: number): number;
  readonly LUA_TNUMBER: number;
  readonly LUA_TBOOLEAN: number;
  readonly LUA_TTABLE: number;
}
export type LuaState = object;

interface Fengari {
  readonly lua: LuaApi;
  readonly lauxlib: {
    luaL_newstate(): LuaState;
    luaL_loadfile(L: LuaState, path: Uint8Array): number;
    luaL_ref(L: LuaState, table: number): number;
    luaL_requiref(L: LuaState, name: Uint8Array, open: (L: LuaState) => number, isGlobal: number): void;
  };
  readonly lualib: { luaL_openlibs(L: LuaState): void };
  to_luastring(text: string): Uint8Array;
}

/** The package as it is on the registry. */
export const { lua, lauxlib, lualib, to_luastring } = createRequire(import.meta.url)('fengari') as Fengari;

/** The text of the error on top of the stack, taken off. */
export const takeError = (L: LuaState): Error => {
  const message = lua.lua_tojsstring(L, -1);
  lua.lua_pop(L, 1);
  return new Error(message);
};

/** Loads a file that returns a table of functions and keeps its `main`. @returns the reference to it */
export const loadMain = (L: LuaState, path: string): number => {
  if (lauxlib.luaL_loadfile(L, to_luastring(path)) !== lua.LUA_OK) throw takeError(L);
  if (lua.lua_pcall(L, 0, 1, 0) !== lua.LUA_OK) throw takeError(L);
  lua.lua_getfield(L, -1, to_luastring('main'));
  const reference = lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX);
  lua.lua_pop(L, 1);
  return reference;
};

/** A state with the standard libraries. */
export const newState = (): LuaState => {
  const L = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(L);
  return L;
};

import { lookAfterLongText } from '../look-soon.ts';
import type { Fengari, LuaState } from '../types.ts';
import { type Library, openedBy } from './natives.ts';

/** What is kept of fengari's own; `load`, `collectgarbage`, `dofile` and `loadfile` are not (lua/common.md, section 2). */
const KEPT = [
  'assert',
  'error',
  'getmetatable',
  'ipairs',
  'next',
  'pairs',
  'pcall',
  'rawequal',
  'rawget',
  'rawlen',
  'rawset',
  'select',
  'setmetatable',
  'tostring',
  'type',
  'xpcall',
];

export const baseLibrary = (fengari: Fengari, L: LuaState): Library => {
  const { lua, lauxlib, to_luastring } = fengari;
  const kept = openedBy(fengari, L, fengari.lbaselib.luaopen_base, KEPT);
  // fengari opens its base library into the state's global table, which no environment uses.
  lua.lua_pushglobaltable(L);
  for (lua.lua_pushnil(L); lua.lua_next(L, -2) !== 0; ) {
    lua.lua_pop(L, 1);
    lua.lua_pushvalue(L, -1);
    lua.lua_pushnil(L);
    lua.lua_rawset(L, -4);
  }
  lua.lua_pop(L, 1);

  const setMetatable = kept.setmetatable as (L: LuaState) => number;
  return {
    constants: { _VERSION: 'Lua 5.3' },
    functions: {
      ...kept,
      setmetatable(L) {
        const isTable = lua.lua_type(L, 1) === lua.LUA_TTABLE;
        if (isTable && lua.lua_topointer(L, 1).readonly === true) {
          return lauxlib.luaL_error(L, to_luastring('attempt to modify a read-only table'));
        }
        return setMetatable(L);
      },
      tonumber: lookAfterLongText((L) => {
        if (lua.lua_isnoneornil(L, 2)) return withoutBase(fengari, L);
        const base = lauxlib.luaL_checkinteger(L, 2);
        lauxlib.luaL_checktype(L, 1, lua.LUA_TSTRING);
        lauxlib.luaL_argcheck(L, base >= 2 && base <= 36, 2, to_luastring('base out of range'));
        const value = parseInBase(lua.lua_tojsstring(L, 1), base);
        if (value === undefined) lua.lua_pushnil(L);
        else lua.lua_pushnumber(L, value);
        return 1;
      }),
    },
  };
};

const withoutBase = (fengari: Fengari, L: LuaState): number => {
  const { lua, lauxlib } = fengari;
  if (lua.lua_type(L, 1) === lua.LUA_TNUMBER) lua.lua_settop(L, 1);
  else {
    const text = lua.lua_type(L, 1) === lua.LUA_TSTRING ? lua.lua_tostring(L, 1) : undefined;
    lauxlib.luaL_checkany(L, 1);
    if (text === undefined || lua.lua_stringtonumber(L, text) !== text.length + 1) lua.lua_pushnil(L);
  }
  return 1;
};

/** Exact to 2^53, rounded beyond, undefined for what is no numeral of the base. */
const parseInBase = (source: string, base: number): number | undefined => {
  const text = /^[ \t\n\v\f\r]*(-?)([0-9a-z]+)[ \t\n\v\f\r]*$/i.exec(source);
  if (text === null) return undefined;
  let value = 0;
  for (const char of (text[2] as string).toLowerCase()) {
    const digit = Number.parseInt(char, 36);
    if (digit >= base) return undefined;
    value = value * base + digit;
  }
  return text[1] === '-' ? -value : value;
};

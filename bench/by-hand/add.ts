import { fileURLToPath } from 'node:url';
import { loadMain, lua, newState, takeError } from './fengari.ts';

/** The function of bench/apps/calls on the original fengari: one state, the handler looked up once, no coroutine per call. */
export const luaAdd = (): ((a: number, b: number) => number) => {
  const L = newState();
  const main = loadMain(L, fileURLToPath(new URL('../apps/calls/add.lua', import.meta.url)));
  return (a, b) => {
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, main);
    lua.lua_pushnumber(L, a);
    lua.lua_pushnumber(L, b);
    if (lua.lua_pcall(L, 2, 1, 0) !== lua.LUA_OK) throw takeError(L);
    const sum = lua.lua_tonumber(L, -1);
    lua.lua_pop(L, 1);
    return sum;
  };
};

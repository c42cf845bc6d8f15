import type { Fengari, LuaState, NativeFunction } from '../types.ts';
import { type Library, openedBy } from './natives.ts';

/** fengari's functions run as one step that no budget interrupts, so that they refuse ranges beyond this. */
const MAX_ITEMS = 2 ** 24;
const KEPT = ['concat', 'insert', 'move', 'pack', 'remove', 'sort', 'unpack'];

export const tableLibrary = (fengari: Fengari, L: LuaState): Library => {
  const { lua, lauxlib, to_luastring } = fengari;
  const kept = openedBy(fengari, L, fengari.ltablib.luaopen_table, KEPT) as Record<
    (typeof KEPT)[number],
    NativeFunction
  >;

  const checkItems = (L: LuaState, count: number): void => {
    if (count > MAX_ITEMS) lauxlib.luaL_error(L, to_luastring(`too many items in one call (limit is ${MAX_ITEMS})`));
  };
  /** A real table is as long as it is; one with `__len` can say anything. */
  const checkClaimedLength = (L: LuaState): void => {
    if (lauxlib.luaL_getmetafield(L, 1, to_luastring('__len')) === lua.LUA_TNIL) return;
    lua.lua_pop(L, 1);
    checkItems(L, lauxlib.luaL_len(L, 1));
  };
  const bounded =
    (name: string): NativeFunction =>
    (L) => {
      checkClaimedLength(L);
      return (kept[name] as NativeFunction)(L);
    };

  return {
    functions: {
      pack: kept.pack as NativeFunction,
      unpack: kept.unpack as NativeFunction,
      insert: bounded('insert'),
      remove: bounded('remove'),
      sort: bounded('sort'),
      concat(L) {
        if (lua.lua_isnoneornil(L, 4)) checkClaimedLength(L);
        else checkItems(L, lauxlib.luaL_checkinteger(L, 4) - lauxlib.luaL_optinteger(L, 3, 1));
        return (kept.concat as NativeFunction)(L);
      },
      move(L) {
        checkItems(L, lauxlib.luaL_checkinteger(L, 3) - lauxlib.luaL_checkinteger(L, 2));
        return (kept.move as NativeFunction)(L);
      },
      /** `table.create(narr, nrec)`: the sizes are hints. */
      create(L) {
        lauxlib.luaL_optnumber(L, 1, 0);
        lauxlib.luaL_optnumber(L, 2, 0);
        lua.lua_newtable(L);
        return 1;
      },
    },
  };
};

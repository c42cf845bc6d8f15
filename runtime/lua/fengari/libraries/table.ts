import { lookAfterLongTable } from '../look-soon.ts';
import type { Fengari, LuaState, NativeFunction } from '../types.ts';
import { type Library, openedBy } from './natives.ts';

/** fengari's functions run as one step that no budget interrupts, so that they refuse ranges beyond this. */
const MAX_ITEMS = 2 ** 24;
const KEPT = ['concat', 'insert', 'move', 'pack', 'remove', 'sort', 'unpack'] as const;

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
    (name: (typeof KEPT)[number]): NativeFunction =>
    (L) => {
      checkClaimedLength(L);
      return kept[name](L);
    };

  return {
    functions: {
      pack: kept.pack,
      unpack: lookAfterLongTable(kept.unpack),
      insert: lookAfterLongTable(bounded('insert'), 3), // with a position; at the end it moves nothing
      remove: lookAfterLongTable(bounded('remove'), 2),
      sort: lookAfterLongTable(bounded('sort')),
      concat: lookAfterLongTable((L) => {
        if (lua.lua_isnoneornil(L, 4)) checkClaimedLength(L);
        else checkItems(L, lauxlib.luaL_checkinteger(L, 4) - lauxlib.luaL_optinteger(L, 3, 1));
        return kept.concat(L);
      }),
      move: lookAfterLongTable((L) => {
        checkItems(L, lauxlib.luaL_checkinteger(L, 3) - lauxlib.luaL_checkinteger(L, 2));
        return kept.move(L);
      }),
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

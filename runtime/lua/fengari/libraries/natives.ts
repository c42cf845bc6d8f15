import type { Fengari, LuaBytes, LuaState, LuaTableRecord, NativeFunction } from '../types.ts';

/** What the libraries need from the engine around them. */
export interface LibraryOptions {
  readonly clock: { wall(): number; now(): number };
  /**
   * Bytes of an argument that is no string but stands for one: an error value (lua/conventions.md, section 4).
   * Undefined for everything else. `index` is positive.
   */
  readonly asText: (L: LuaState, index: number) => LuaBytes | undefined;
}

/** Functions and constants of one library, before they are a table. */
export interface Library {
  readonly functions: Readonly<Record<string, NativeFunction>>;
  readonly constants?: Readonly<Record<string, number | string | LuaBytes>>;
}

/** Reads the functions off the table that one of fengari's `luaopen_...` leaves on the stack. */
export const openedBy = (
  fengari: Fengari,
  L: LuaState,
  open: NativeFunction,
  names: readonly string[],
): Record<string, NativeFunction> => {
  const { lua, to_luastring } = fengari;
  const functions: Record<string, NativeFunction> = {};
  open(L);
  for (const name of names) {
    lua.lua_getfield(L, -1, to_luastring(name));
    const found = lua.lua_tocfunction(L, -1);
    if (found === null) throw new Error(`fengari ${fengari.version} has no library function '${name}'`);
    functions[name] = found;
    lua.lua_pop(L, 1);
  }
  lua.lua_pop(L, 1);
  return functions;
};

/** Writes functions and constants into a table. */
export const fill = (fengari: Fengari, L: LuaState, table: LuaTableRecord, library: Library): void => {
  const { lua } = fengari;
  for (const [name, value] of Object.entries({ ...library.functions, ...library.constants })) {
    if (typeof value === 'number') lua.lua_pushnumber(L, value);
    else if (typeof value === 'string') lua.lua_pushliteral(L, value);
    else if (value instanceof Uint8Array) lua.lua_pushstring(L, value);
    else lua.lua_pushcfunction(L, value);
    setTop(fengari, L, table, name);
  }
};

/** A read-only table of the library, set into `base` under `name`. */
export const addLibrary = (
  fengari: Fengari,
  L: LuaState,
  base: LuaTableRecord,
  name: string,
  library: Library,
): LuaTableRecord => {
  const { lua } = fengari;
  lua.lua_newtable(L);
  const table = lua.lua_topointer(L, -1) as LuaTableRecord;
  fill(fengari, L, table, library);
  table.readonly = true;
  setTop(fengari, L, base, name);
  return table;
};

/** Pops the value on top into `table[name]`. */
const setTop = (fengari: Fengari, L: LuaState, table: LuaTableRecord, name: string): void => {
  const { lua, ltable, lobject, lstring, to_luastring, defs } = fengari;
  const key = new lobject.TValue(defs.constant_types.LUA_TLNGSTR, lstring.luaS_bless(L, to_luastring(name)));
  ltable.luaH_setfrom(L, table, key, L.stack[L.top - 1]);
  ltable.invalidateTMcache(table);
  lua.lua_pop(L, 1);
};

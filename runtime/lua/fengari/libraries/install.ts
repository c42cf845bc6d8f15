import { lookAfterLongText } from '../look-soon.ts';
import type { Fengari, LuaState, LuaTableRecord } from '../types.ts';
import { baseLibrary } from './base.ts';
import { mathLibrary } from './math.ts';
import { addLibrary, fill, type LibraryOptions, openedBy } from './natives.ts';
import { osLibrary } from './os.ts';
import { setStringMetatable, stringLibrary } from './string.ts';
import { tableLibrary } from './table.ts';

/** `[\0-\x7F\xC2-\xF4][\x80-\xBF]*`: matches one UTF-8 sequence (Lua 5.3, section 6.5). */
const CHAR_PATTERN = Uint8Array.from(Buffer.from('[\0-\x7F\xC2-\xF4][\x80-\xBF]*', 'latin1'));
const UTF8_KEPT = ['char', 'codepoint', 'codes', 'len', 'offset'];

/**
 * Fills `base` with the functions of Lua 5.1 and its successors that programs may use (lua/conventions.md, section 1;
 * lua/common.md, sections 1 and 2): base functions, `string`, `math`, `table`, `os`, `utf8`. Their tables are read-only;
 * `base` is left open, for `print`, `require`, `coroutine` and what else the engine adds. Functions that load code,
 * reach files or the system are not there.
 */
export const installLibraries = (
  fengari: Fengari,
  L: LuaState,
  base: LuaTableRecord,
  options: LibraryOptions,
): void => {
  const { lua, lobject, defs } = fengari;
  const { LUA_TTABLE } = defs.constant_types;
  fill(fengari, L, base, baseLibrary(fengari, L));
  addLibrary(fengari, L, base, 'math', mathLibrary(fengari));
  addLibrary(fengari, L, base, 'os', osLibrary(fengari, options));

  const table = tableLibrary(fengari, L);
  addLibrary(fengari, L, base, 'table', table);
  fill(fengari, L, base, { functions: { unpack: table.functions.unpack as (L: LuaState) => number } });

  const utf8 = openedBy(fengari, L, fengari.lutf8lib.luaopen_utf8, UTF8_KEPT);
  for (const [name, f] of Object.entries(utf8)) utf8[name] = lookAfterLongText(f);
  addLibrary(fengari, L, base, 'utf8', { functions: utf8, constants: { charpattern: CHAR_PATTERN } });

  const string = addLibrary(fengari, L, base, 'string', stringLibrary(fengari, L, options));
  lobject.pushobj2s(L, new lobject.TValue(LUA_TTABLE, string));
  setStringMetatable(fengari, L);
  lua.lua_pop(L, 1);
  nameFunctions(fengari, L, base);
};

/** `bad argument` texts and tracebacks find the names of functions in the registry's table of libraries (lauxlib.c). */
const nameFunctions = (fengari: Fengari, L: LuaState, base: LuaTableRecord): void => {
  const { lua, lauxlib, lobject, defs, to_luastring } = fengari;
  lua.lua_newtable(L);
  lobject.pushobj2s(L, new lobject.TValue(defs.constant_types.LUA_TTABLE, base));
  for (const name of ['string', 'math', 'table', 'os', 'utf8']) {
    lua.lua_getfield(L, -1, to_luastring(name));
    lua.lua_setfield(L, -3, to_luastring(name));
  }
  lua.lua_setfield(L, -2, to_luastring('_G'));
  lua.lua_setfield(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
};

import { MAX_STRING_BYTES } from '../limits.ts';
import { LONG_BYTES, lookAfterLongResult, lookAfterLongText, lookSoon } from '../look-soon.ts';
import type { Fengari, LuaState, NativeFunction } from '../types.ts';
import { formatFunction } from './format.ts';
import { type Library, type LibraryOptions, openedBy } from './natives.ts';

/** Bytes that a search for a plain text gets through in the time of a look. */
const LONG_SEARCH = 65_536;
// `pack`, `unpack` and `packsize` count in 32-bit integers in fengari, and Lua 5.1 has none; `dump` has no reader here.
const SUBJECT_FIRST = ['byte', 'find', 'gmatch', 'gsub', 'len', 'lower', 'match', 'reverse', 'sub', 'upper'];

/** What takes its time by a subject's length; patterns count their steps themselves, the rest is quick. */
const looked = (name: string, f: NativeFunction): NativeFunction => {
  if (name === 'lower' || name === 'upper' || name === 'reverse') return lookAfterLongText(f);
  if (name === 'find') return lookAfterLongText(f, LONG_SEARCH); // for a plain text: many times faster
  return name === 'sub' ? lookAfterLongResult(f) : f;
};

/** Also makes the library what methods of strings are looked up in; that metatable cannot be reached from Lua. */
export const stringLibrary = (fengari: Fengari, L: LuaState, { asText }: LibraryOptions): Library => {
  const { lua, lauxlib, to_luastring } = fengari;
  const kept = openedBy(fengari, L, fengari.lstrlib.luaopen_string, [...SUBJECT_FIRST, 'char']);

  /** An error value stands for its text where a function takes a subject (lua/conventions.md, section 4). */
  const withSubject =
    (f: NativeFunction): NativeFunction =>
    (L) => {
      if (lua.lua_type(L, 1) === lua.LUA_TUSERDATA) {
        const text = asText(L, 1);
        if (text !== undefined) {
          lua.lua_pushstring(L, text);
          lua.lua_replace(L, 1);
        }
      }
      return f(L);
    };

  const functions: Record<string, NativeFunction> = { char: kept.char as NativeFunction };
  for (const name of SUBJECT_FIRST) functions[name] = withSubject(looked(name, kept[name] as NativeFunction));
  functions.format = withSubject(lookAfterLongResult(formatFunction(fengari)));
  functions.rep = withSubject((L) => {
    const text: Uint8Array = lauxlib.luaL_checkstring(L, 1);
    const count: number = lauxlib.luaL_checknumber(L, 2);
    const separator: Uint8Array = lauxlib.luaL_optstring(L, 3, '');
    if (!(count >= 1)) {
      lua.lua_pushliteral(L, '');
      return 1;
    }
    const times = Math.floor(count);
    const step = text.length + separator.length;
    const total = step === 0 ? 0 : times * step - separator.length;
    if (total > MAX_STRING_BYTES) return lauxlib.luaL_error(L, to_luastring('resulting string too large'));
    lua.lua_pushstring(L, repeat(text, separator, total));
    if (total > LONG_BYTES) lookSoon(L);
    return 1;
  });
  return { functions };
};

/** Doubles what is there until it is enough: a copy per repetition is slow for short strings. */
const repeat = (text: Uint8Array, separator: Uint8Array, total: number): Uint8Array => {
  const out = new Uint8Array(total);
  if (total === 0) return out;
  out.set(text);
  out.set(separator.subarray(0, total - text.length), text.length);
  for (let filled = Math.min(text.length + separator.length, total); filled < total; ) {
    const more = Math.min(filled, total - filled);
    out.copyWithin(filled, 0, more);
    filled += more;
  }
  return out;
};

/** Gives all strings the methods of `table`, which is `string`. */
export const setStringMetatable = (fengari: Fengari, L: LuaState): void => {
  const { lua, to_luastring } = fengari;
  // On the stack: the library's table.
  lua.lua_newtable(L);
  lua.lua_pushvalue(L, -2);
  lua.lua_setfield(L, -2, to_luastring('__index'));
  lua.lua_pushboolean(L, false);
  lua.lua_setfield(L, -2, to_luastring('__metatable'));
  lua.lua_topointer(L, -1).readonly = true;
  lua.lua_pushliteral(L, '');
  lua.lua_insert(L, -2);
  lua.lua_setmetatable(L, -2);
  lua.lua_pop(L, 1);
};

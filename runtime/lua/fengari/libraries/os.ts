import type { Fengari, LuaState } from '../types.ts';
import { dateFields, dateText } from './date.ts';
import type { Library, LibraryOptions } from './natives.ts';

/** The restricted `os` (lua/os.md): time and dates, nothing of the system. */
export const osLibrary = (fengari: Fengari, { clock }: LibraryOptions): Library => {
  const { lua, lauxlib, to_luastring, to_jsstring } = fengari;
  const begin = clock.now();
  const push = (L: LuaState, value: number): number => {
    lua.lua_pushnumber(L, value);
    return 1;
  };

  /** A field of the table at 1: a whole number, or `fallback` where it is nil. */
  const field = (L: LuaState, name: string, fallback: number | undefined): number => {
    const isMissing = lua.lua_getfield(L, 1, to_luastring(name)) === lua.LUA_TNIL;
    const value = isMissing ? fallback : lua.lua_tointegerx(L, -1);
    lua.lua_pop(L, 1);
    if (value === undefined) return lauxlib.luaL_error(L, to_luastring(`field '${name}' missing in date table`));
    if (value === false) return lauxlib.luaL_error(L, to_luastring(`field '${name}' is not an integer`));
    return value;
  };

  return {
    constants: { platform: 'wippy' },
    functions: {
      clock: (L) => push(L, (clock.now() - begin) / 1000),
      difftime: (L) => push(L, lauxlib.luaL_checknumber(L, 1) - lauxlib.luaL_optnumber(L, 2, 0)),
      time(L) {
        if (lua.lua_isnoneornil(L, 1)) return push(L, Math.floor(clock.wall() / 1000));
        lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE);
        const year = field(L, 'year', undefined);
        const month = field(L, 'month', undefined);
        const day = field(L, 'day', new Date(clock.wall()).getDate());
        const date = new Date(2000, 0, 1, field(L, 'hour', 0), field(L, 'min', 0), field(L, 'sec', 0));
        // The time of day may have moved the date already; years below 100 are years, not 19xx.
        const offset = Math.round((startOfDay(date) - startOfDay(new Date(2000, 0, 1))) / 86_400_000);
        date.setFullYear(year, month - 1, day + offset);
        const seconds = Math.floor(date.getTime() / 1000);
        if (Number.isNaN(seconds)) {
          return lauxlib.luaL_error(L, to_luastring('time result cannot be represented in this installation'));
        }
        return push(L, seconds);
      },
      date(L) {
        const given = to_jsstring(lauxlib.luaL_optstring(L, 1, '%c'), undefined, undefined, true);
        const seconds = lauxlib.luaL_optnumber(L, 2, Math.floor(clock.wall() / 1000));
        const isUtc = given.startsWith('!');
        const format = isUtc ? given.slice(1) : given;
        const date = new Date(Math.floor(seconds) * 1000);
        if (Number.isNaN(date.getTime())) {
          return lauxlib.luaL_argerror(L, 2, to_luastring('time out of range'));
        }
        if (format.startsWith('*t')) {
          lua.lua_newtable(L);
          for (const [name, value] of Object.entries(dateFields(date, isUtc))) {
            if (typeof value === 'boolean') lua.lua_pushboolean(L, value);
            else lua.lua_pushnumber(L, value);
            lua.lua_setfield(L, -2, to_luastring(name));
          }
          return 1;
        }
        const text = dateText(format, date, isUtc);
        if (typeof text !== 'string') {
          return lauxlib.luaL_argerror(L, 1, to_luastring(`invalid conversion specifier '%${text.unknown}'`));
        }
        lua.lua_pushstring(L, to_luastring(text));
        return 1;
      },
    },
  };
};

const startOfDay = (date: Date): number => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());

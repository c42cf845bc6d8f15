import { randomFillSync } from 'node:crypto';
import type { Fengari, LuaState, NativeFunction } from '../types.ts';
import type { Library } from './natives.ts';

/** Numbers are doubles here (lua/common.md, section 1): "integer" is a number without fraction below 2^53. */
const isInteger = Number.isSafeInteger;

export const mathLibrary = (fengari: Fengari): Library => {
  const { lua, lauxlib, luaconf, to_luastring } = fengari;
  const number = (L: LuaState, at: number): number => lauxlib.luaL_checknumber(L, at);
  const push = (L: LuaState, value: number): number => {
    lua.lua_pushnumber(L, value);
    return 1;
  };
  const of =
    (f: (x: number) => number): NativeFunction =>
    (L) =>
      push(L, f(number(L, 1)));
  const of2 =
    (f: (x: number, y: number) => number): NativeFunction =>
    (L) =>
      push(L, f(number(L, 1), number(L, 2)));
  const extreme =
    (isBetter: (x: number, best: number) => boolean): NativeFunction =>
    (L) => {
      let best = number(L, 1);
      for (let i = 2; i <= lua.lua_gettop(L); i += 1) {
        const x = number(L, i);
        if (isBetter(x, best)) best = x;
      }
      return push(L, best);
    };
  const random = createRandom();

  return {
    constants: {
      pi: Math.PI,
      huge: Number.POSITIVE_INFINITY,
      maxinteger: Number.MAX_SAFE_INTEGER,
      mininteger: Number.MIN_SAFE_INTEGER,
    },
    functions: {
      abs: of(Math.abs),
      acos: of(Math.acos),
      asin: of(Math.asin),
      ceil: of(Math.ceil),
      cos: of(Math.cos),
      cosh: of(Math.cosh),
      deg: of((x) => x * (180 / Math.PI)),
      exp: of(Math.exp),
      floor: of(Math.floor),
      log10: of(Math.log10),
      rad: of((x) => x * (Math.PI / 180)),
      sin: of(Math.sin),
      sinh: of(Math.sinh),
      sqrt: of(Math.sqrt),
      tan: of(Math.tan),
      tanh: of(Math.tanh),
      fmod: of2((x, y) => x % y),
      pow: of2((x, y) => x ** y),
      ldexp: of2((x, e) => luaconf.ldexp(x, e)),
      max: extreme((x, best) => x > best),
      min: extreme((x, best) => x < best),
      atan: (L) => push(L, Math.atan2(number(L, 1), lauxlib.luaL_optnumber(L, 2, 1))),
      atan2: of2(Math.atan2),
      log(L) {
        const x = number(L, 1);
        if (lua.lua_isnoneornil(L, 2)) return push(L, Math.log(x));
        const base = number(L, 2);
        return push(L, base === 2 ? Math.log2(x) : base === 10 ? Math.log10(x) : Math.log(x) / Math.log(base));
      },
      frexp(L) {
        const x = number(L, 1);
        const [mantissa, exponent] = Number.isFinite(x) ? luaconf.frexp(x) : [x, 0];
        push(L, mantissa);
        push(L, exponent);
        return 2;
      },
      modf(L) {
        const x = number(L, 1);
        const whole = Math.trunc(x);
        push(L, whole);
        push(L, Number.isFinite(x) ? x - whole : Number.isNaN(x) ? x : 0);
        return 2;
      },
      tointeger(L) {
        lauxlib.luaL_checkany(L, 1);
        const value = lua.lua_tointegerx(L, 1);
        if (value === false) lua.lua_pushnil(L);
        else push(L, value);
        return 1;
      },
      type(L) {
        lauxlib.luaL_checkany(L, 1);
        if (lua.lua_type(L, 1) !== lua.LUA_TNUMBER) lua.lua_pushnil(L);
        else lua.lua_pushliteral(L, isInteger(lua.lua_tonumber(L, 1)) ? 'integer' : 'float');
        return 1;
      },
      ult(L) {
        const x = lauxlib.luaL_checkinteger(L, 1);
        const y = lauxlib.luaL_checkinteger(L, 2);
        // As unsigned 64-bit numbers the negative ones come last.
        lua.lua_pushboolean(L, x < 0 === y < 0 ? x < y : y < 0);
        return 1;
      },
      random(L) {
        const r = random.next();
        let low = 1;
        let high: number;
        switch (lua.lua_gettop(L)) {
          case 0:
            return push(L, r);
          case 1:
            high = lauxlib.luaL_checkinteger(L, 1);
            break;
          case 2:
            low = lauxlib.luaL_checkinteger(L, 1);
            high = lauxlib.luaL_checkinteger(L, 2);
            break;
          default:
            return lauxlib.luaL_error(L, to_luastring('wrong number of arguments'));
        }
        const last = lua.lua_gettop(L);
        lauxlib.luaL_argcheck(L, low <= high, last, to_luastring('interval is empty'));
        lauxlib.luaL_argcheck(L, high - low < 2 ** 53, last, to_luastring('interval too large'));
        return push(L, low + Math.floor(r * (high - low + 1)));
      },
      randomseed(L) {
        random.seed(lua.lua_isnoneornil(L, 1) ? undefined : number(L, 1));
        return 0;
      },
    },
  };
};

/** sfc32 (PractRand, Chris Doty-Humphrey): 53 of the 64 bits of two draws. Not for secrets: `crypto` and `uuid` are. */
const createRandom = (): { next(): number; seed(value: number | undefined): void } => {
  const state = new Uint32Array(4);
  const draw = (): number => {
    const [a, b, c, counter] = state as unknown as [number, number, number, number];
    const out = (a + b + counter) >>> 0;
    state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + out, counter + 1]);
    return out;
  };
  const next = (): number => ((draw() >>> 5) * 2 ** 26 + (draw() >>> 6)) / 2 ** 53;
  const seed = (value: number | undefined): void => {
    if (value === undefined) randomFillSync(state);
    else state.set([...new Uint32Array(new Float64Array([value]).buffer), 0x9e3779b9, 1]);
    for (let i = 0; i < 16; i += 1) draw();
  };
  seed(undefined);
  return { next, seed };
};

/**
 * fengari's own modules, as they are: it ships no types, and its values (states, stacks, tables, prototypes) are
 * plain records that the engine reads and writes in its hottest paths. These names stay inside runtime/lua.
 */

// biome-ignore lint/suspicious/noExplicitAny: fengari has no types; this file is where that ends.
export type FengariModule = any;
/** A lua_State: one coroutine's stack, or the main one's. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type LuaState = any;
/** A TValue: `{ type, value }`, with its `ttis...` and `set...` methods. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type LuaCell = any;
/** A Table of ltable.js. `readonly` is ours: assignment raises, also through rawset. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type LuaTableRecord = any;
/** A JavaScript function that Lua calls: takes arguments from the stack, returns how many results it pushed. */
export type NativeFunction = (L: LuaState) => number;
/** The bytes of a Lua string. Never write into one that Lua gave out. */
export type LuaBytes = Uint8Array;

/** The patched copy of fengari that `loadFengari` made. Names are the files' own. */
export interface Fengari {
  /** `0.1.5`. */
  readonly version: string;
  readonly lua: FengariModule;
  readonly lauxlib: FengariModule;
  readonly lapi: FengariModule;
  readonly lobject: FengariModule;
  readonly ltable: FengariModule;
  readonly ltm: FengariModule;
  readonly ldo: FengariModule;
  readonly lstate: FengariModule;
  readonly lstring: FengariModule;
  readonly defs: FengariModule;
  readonly ldebug: FengariModule;
  readonly lvm: FengariModule;
  readonly lfunc: FengariModule;
  readonly llex: FengariModule;
  readonly luaconf: FengariModule;
  /** One `luaopen_...` each; the engine installs what it exposes through `libraries/`. */
  readonly lbaselib: FengariModule;
  readonly lcorolib: FengariModule;
  readonly lstrlib: FengariModule;
  readonly ltablib: FengariModule;
  readonly lutf8lib: FengariModule;
  readonly to_luastring: (text: string, cache?: boolean) => LuaBytes;
  readonly to_jsstring: (bytes: LuaBytes, from?: number, to?: number, lenient?: boolean) => string;
}

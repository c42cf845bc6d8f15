import type { LuaFrame } from '../../errors.ts';
import { textOf } from '../values.ts';
import type { Fengari, LuaState } from './types.ts';

/** How many frames a traceback holds; the middle of a deeper stack is left out. */
const MAX_FRAMES = 50;

export interface Frames {
  /** Innermost first; host functions included. Also of a coroutine that has died of an error. */
  all(L: LuaState): readonly LuaFrame[];
  /** The first `count` frames of Lua code. */
  lua(L: LuaState, count: number): readonly LuaFrame[];
  /** The chunk name's string object of the innermost Lua frame: the same object for all functions of a chunk. */
  sourceOf(L: LuaState): object | undefined;
}

export const createFrames = (fengari: Fengari): Frames => {
  const { lua, lstate, to_luastring } = fengari;
  const WHAT = to_luastring('Sln');

  const frameOf = (L: LuaState, ci: unknown): LuaFrame => {
    const ar = new lua.lua_Debug();
    ar.i_ci = ci;
    lua.lua_getinfo(L, WHAT, ar);
    const name = ar.name === null || ar.name === undefined ? undefined : textOf(ar.name);
    const what = textOf(ar.what);
    if (what === 'J') return { source: '[host]', type: 'host', name };
    return {
      source: textOf(ar.source).replace(/^[@=]/, ''),
      line: ar.currentline,
      name,
      type: what === 'main' ? 'main' : 'Lua',
    };
  };

  const isLua = (ci: { callstatus: number }): boolean => (ci.callstatus & lstate.CIST_LUA) !== 0;

  return {
    all(L) {
      const frames: LuaFrame[] = [];
      let skipped = 0;
      for (let ci = L.ci; ci !== null && ci !== L.base_ci; ci = ci.previous) {
        if (frames.length < MAX_FRAMES) frames.push(frameOf(L, ci));
        else skipped += 1;
      }
      if (skipped > 0) frames.push({ source: `... (${skipped} more)`, type: 'host' });
      return frames;
    },
    lua(L, count) {
      const frames: LuaFrame[] = [];
      for (let ci = L.ci; ci !== null && ci !== L.base_ci && frames.length < count; ci = ci.previous) {
        if (isLua(ci)) frames.push(frameOf(L, ci));
      }
      return frames;
    },
    sourceOf(L) {
      for (let ci = L.ci; ci !== null && ci !== L.base_ci; ci = ci.previous) {
        if (isLua(ci)) return ci.func.value.p.source as object;
      }
      return undefined;
    },
  };
};

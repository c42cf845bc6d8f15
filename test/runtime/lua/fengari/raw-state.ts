import { installLibraries } from '../../../../runtime/lua/fengari/libraries/install.ts';
import { loadFengari } from '../../../../runtime/lua/fengari/load.ts';
import type { Fengari, LuaState } from '../../../../runtime/lua/fengari/types.ts';
import { prepareSource } from '../../../../runtime/lua/source/prepare.ts';

/** What a chunk returned, as `tostring` shows it, or the error's text. */
export interface Outcome {
  readonly values?: readonly string[];
  readonly error?: string;
}

export interface RawState {
  readonly fengari: Fengari;
  readonly L: LuaState;
  /** Runs Lua on a state without the engine around it: source pass, compiler, libraries. */
  run(source: string): Outcome;
  /** The same without the source pass, so that literals stay fengari's integers. */
  runAsIs(source: string): Outcome;
}

/** 2026-03-04 05:06:07.250 UTC. */
export const NOW = Date.UTC(2026, 2, 4, 5, 6, 7, 250);

export const rawState = (): RawState => {
  const fengari = loadFengari();
  const { lua, lauxlib, to_luastring } = fengari;
  const L = lauxlib.luaL_newstate();
  lua.lua_atnativeerror(L, (state: LuaState) => {
    lua.lua_pushliteral(state, `native: ${lua.lua_touserdata(state, 1)}`);
    return 1;
  });
  lua.lua_pushglobaltable(L);
  const base = lua.lua_topointer(L, -1);
  lua.lua_pop(L, 1);
  let ticks = 0;
  installLibraries(fengari, L, base, {
    clock: { now: () => 1000 * ticks++, wall: () => NOW },
    asText: (state, index) => lua.lua_touserdata(state, index)?.text,
  });
  lua.lua_newuserdata(L, 0).text = to_luastring('connection refused');
  lua.lua_setglobal(L, to_luastring('failure'));

  const runAsIs = (source: string): Outcome => {
    const bytes = to_luastring(source);
    lua.lua_settop(L, 0);
    const failed =
      lauxlib.luaL_loadbuffer(L, bytes, bytes.length, to_luastring('@chunk')) !== 0 ||
      lua.lua_pcall(L, 0, lua.LUA_MULTRET, 0) !== 0;
    const values: string[] = [];
    for (let i = 1; i <= lua.lua_gettop(L); i += 1) {
      values.push(Buffer.from(lauxlib.luaL_tolstring(L, i)).toString('utf8'));
      lua.lua_pop(L, 1);
    }
    return failed ? { error: values.at(-1) as string } : { values };
  };
  return { fengari, L, runAsIs, run: (source) => runAsIs(prepareSource(source, 'chunk').source) };
};

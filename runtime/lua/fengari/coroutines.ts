import { Coroutine } from './coroutine.ts';
import { lookSoon } from './look-soon.ts';
import type { LuaState, NativeFunction } from './types.ts';
import type { Vm } from './vm.ts';

/**
 * `coroutine.*`, `pcall` and `xpcall` that know of the host: a host yield inside a user's coroutine passes through its
 * resumers up to the scheduler and continues in the same place, and a kill is caught by nobody.
 */
export const createCoroutineFunctions = (
  vm: Vm,
): { coroutine: Record<string, NativeFunction>; base: Record<string, NativeFunction> } => {
  const { lua, lauxlib } = vm.fengari;
  const { LUA_OK, LUA_YIELD } = vm.fengari.defs.thread_status;
  const { LUA_TFUNCTION, LUA_TSTRING, LUA_TTHREAD } = vm.fengari.defs.constant_types;

  const create = (L: LuaState, position: number): LuaState => {
    lauxlib.luaL_checktype(L, position, LUA_TFUNCTION);
    const made = lua.lua_newthread(L);
    const creator = L.perilune as Coroutine;
    new Coroutine(made, creator.run, creator.context);
    lua.lua_pushvalue(L, position);
    lua.lua_xmove(L, made, 1);
    return made;
  };

  /** One turn of `co`, whose arguments are on its own stack; passes host yields on. */
  const turn = (L: LuaState, co: LuaState, args: number, isWrap: boolean): number => {
    const self = L.perilune as Coroutine;
    const inner = co.perilune as Coroutine;
    if (inner.run !== self.run) {
      // Made by an earlier call of this instance: from now on it belongs to this one.
      inner.run = self.run;
      inner.context = self.context;
    }
    inner.resumer = self;
    inner.isHostYield = false;
    inner.isPinned = !vm.isSuspendable(self);
    return settle(L, co, lua.lua_resume(co, L, args), isWrap);
  };

  const settle = (L: LuaState, co: LuaState, status: number, isWrap: boolean): number => {
    const self = L.perilune as Coroutine;
    const inner = co.perilune as Coroutine;
    if (status === LUA_YIELD && inner.isHostYield) {
      self.isHostYield = true;
      return lua.lua_yieldk(L, 0, co, isWrap ? continueWrap : continueResume);
    }
    inner.resumer = undefined;
    if (status !== LUA_YIELD) countRest(L, co);
    if (status === LUA_OK || status === LUA_YIELD) {
      const count = lua.lua_gettop(co);
      if (!lua.lua_checkstack(L, count + 1)) {
        lua.lua_pop(co, count);
        return fail(L, 'too many results to resume', isWrap);
      }
      if (!isWrap) lua.lua_pushboolean(L, true);
      lua.lua_xmove(co, L, count);
      return isWrap ? count : count + 1;
    }
    vm.noteError(inner);
    if (self.run.killed !== undefined) {
      lua.lua_pushliteral(L, 'killed');
      return lua.lua_error(L);
    }
    if (isWrap) {
      lua.lua_xmove(co, L, 1);
      if (lua.lua_type(L, -1) === LUA_TSTRING) {
        lauxlib.luaL_where(L, 1);
        lua.lua_insert(L, -2);
        lua.lua_concat(L, 2);
      }
      return lua.lua_error(L);
    }
    lua.lua_pushboolean(L, false);
    lua.lua_xmove(co, L, 1);
    return 2;
  };

  /** A coroutine that has ended leaves what it ran since its hook last counted: many short ones are a long run too. */
  const countRest = (L: LuaState, co: LuaState): void => {
    const { run } = L.perilune as Coroutine;
    run.instructions += co.basehookcount - co.hookcount;
    const limit = run.limits.instructions;
    if (limit > 0 && run.instructions >= limit) lookSoon(L);
  };

  const again = (L: LuaState, co: LuaState, isWrap: boolean): number => {
    (co.perilune as Coroutine).isHostYield = false;
    return settle(L, co, lua.lua_resume(co, L, 0), isWrap);
  };
  const continueResume = (L: LuaState, _status: number, co: LuaState): number => again(L, co, false);
  const continueWrap = (L: LuaState, _status: number, co: LuaState): number => again(L, co, true);

  const fail = (L: LuaState, text: string, isWrap: boolean): number => {
    if (isWrap) return lauxlib.luaL_error(L, vm.fengari.to_luastring(text));
    lua.lua_pushboolean(L, false);
    lua.lua_pushliteral(L, text);
    return 2;
  };

  const begin = (L: LuaState, co: LuaState, args: number, isWrap: boolean): number => {
    if (co === L) return fail(L, 'cannot resume non-suspended coroutine', isWrap);
    if (!lua.lua_checkstack(co, args)) return fail(L, 'too many arguments to resume', isWrap);
    const status = lua.lua_status(co);
    if (status === LUA_OK && lua.lua_gettop(co) === 0) return fail(L, 'cannot resume dead coroutine', isWrap);
    // Waiting for the host, or running further out: not the user's to resume.
    if ((co.perilune as Coroutine).resumer !== undefined)
      return fail(L, 'cannot resume non-suspended coroutine', isWrap);
    lua.lua_xmove(L, co, args);
    return turn(L, co, args, isWrap);
  };

  const threadArgument = (L: LuaState, position: number): LuaState => {
    if (lua.lua_type(L, position) !== LUA_TTHREAD) return lauxlib.luaL_argerror(L, position, 'thread expected');
    return lua.lua_tothread(L, position);
  };

  // ---- pcall, xpcall: fengari's, but a kill goes on rising --------------------------------------------------------
  const finish = (L: LuaState, status: number, extra: number): number => {
    if (status === LUA_OK || status === LUA_YIELD) return lua.lua_gettop(L) - extra;
    if ((L.perilune as Coroutine).run.killed !== undefined) {
      L.errfunc = 0;
      return lua.lua_error(L); // the message is on top
    }
    lua.lua_pushboolean(L, false);
    lua.lua_pushvalue(L, -2);
    return 2;
  };
  const pcall: NativeFunction = (L) => {
    lauxlib.luaL_checkany(L, 1);
    lua.lua_pushboolean(L, true);
    lua.lua_insert(L, 1);
    return finish(L, lua.lua_pcallk(L, lua.lua_gettop(L) - 2, lua.LUA_MULTRET, 0, 0, finish), 0);
  };
  const xpcall: NativeFunction = (L) => {
    const count = lua.lua_gettop(L);
    lauxlib.luaL_checktype(L, 2, LUA_TFUNCTION);
    lua.lua_pushboolean(L, true);
    lua.lua_pushvalue(L, 1);
    lua.lua_rotate(L, 3, 2);
    return finish(L, lua.lua_pcallk(L, count - 2, lua.LUA_MULTRET, 2, 2, finish), 2);
  };

  return {
    base: { pcall, xpcall },
    coroutine: {
      create: (L) => {
        create(L, 1);
        return 1;
      },
      resume: (L) => begin(L, threadArgument(L, 1), lua.lua_gettop(L) - 1, false),
      wrap: (L) => {
        const co = create(L, 1);
        lua.lua_pushcclosure(L, (at: LuaState) => begin(at, co, lua.lua_gettop(at), true), 1);
        return 1;
      },
      yield: (L) => lua.lua_yield(L, lua.lua_gettop(L)),
      isyieldable: (L) => {
        lua.lua_pushboolean(L, lua.lua_isyieldable(L));
        return 1;
      },
      running: (L) => {
        (L.perilune as Coroutine).isShared = true;
        lua.lua_pushthread(L);
        lua.lua_pushboolean(L, (L.perilune as Coroutine).resumer === undefined);
        return 2;
      },
      status: (L) => {
        const co = threadArgument(L, 1);
        lua.lua_pushliteral(L, statusOf(L, co));
        return 1;
      },
      /** lua/channel.md, section 3. */
      spawn: (L) => {
        if (lua.lua_type(L, 1) !== LUA_TFUNCTION) {
          return lauxlib.luaL_argerror(L, 1, vm.fengari.to_luastring('function expected'));
        }
        const self = L.perilune as Coroutine;
        const args = lua.lua_gettop(L) - 1;
        const made = vm.thread(self.run.limits.instructions);
        const coroutine = new Coroutine(made, self.run, self.context);
        lua.lua_checkstack(made, args + 1);
        lua.lua_xmove(L, made, args + 1);
        self.run.spawn(coroutine, args);
        lua.lua_settop(L, 0);
        L.stack[L.top] = new vm.fengari.lobject.TValue(LUA_TTHREAD, made);
        vm.fengari.lapi.api_incr_top(L);
        return 1;
      },
    },
  };

  function statusOf(L: LuaState, co: LuaState): string {
    if (L === co) return 'running';
    const status = lua.lua_status(co);
    const coroutine = co.perilune as Coroutine;
    if (coroutine.resumer !== undefined) return 'normal';
    if (status === LUA_YIELD) return 'suspended';
    if (status !== LUA_OK) return 'dead';
    if (lua.lua_getstack(co, 0, new lua.lua_Debug()) > 0) return 'normal';
    return lua.lua_gettop(co) === 0 ? 'dead' : 'suspended';
  }
};

import { isPromise } from '../../call.ts';
import { CallError, messageOf } from '../../errors.ts';
import { type HostFunction, type HostMethod, type HostResults, LuaRaise, Suspension } from '../engine.ts';
import type { HostValue, LuaValue } from '../values.ts';
import type { Measure } from './bridge.ts';
import type { Coroutine } from './coroutine.ts';
import { lookSoon } from './look-soon.ts';
import type { LuaState, NativeFunction } from './types.ts';
import type { Vm } from './vm.ts';

/** How the arguments and results of one host function cross. */
export interface CallStyle {
  readonly name: string;
  /** The specification marks it "yields". */
  readonly yields: boolean;
  readonly byReference: boolean;
  /** Its arguments count against `result_bytes`. */
  readonly measured: boolean;
  /** Its arguments are turned into texts first. */
  readonly asText?: boolean;
}

type Body = (coroutine: Coroutine, L: LuaState) => HostResults | Suspension | Promise<HostResults>;

/** Makes the functions that the VM calls out of those that modules and classes define. */
export const createHostCalls = (vm: Vm) => {
  const { lua, lauxlib } = vm.fengari;
  const { bridge } = vm;

  const pushAll = (L: LuaState, results: HostResults): number => {
    if (results === undefined) return 0;
    if (results.length > 8) lauxlib.luaL_checkstack(L, results.length, null);
    for (let i = 0; i < results.length; i += 1) bridge.push(L, results[i]);
    return results.length;
  };

  /** Raises in Lua what a host function threw; never returns. */
  const raise = (L: LuaState, error: unknown): number => {
    if (error instanceof CallError) bridge.push(L, error);
    else {
      lauxlib.luaL_where(L, 1);
      bridge.push(L, error instanceof LuaRaise ? error.message : messageOf(error));
      lua.lua_concat(L, 2);
    }
    return lua.lua_error(L);
  };

  /** Runs when the scheduler resumes a coroutine that waited in a host function. */
  const proceed = (L: LuaState): number => {
    const coroutine = L.perilune as Coroutine;
    const { results, failure } = coroutine;
    coroutine.results = undefined;
    coroutine.failure = undefined;
    if (failure !== undefined) return raise(L, failure.error);
    try {
      return pushAll(L, results);
    } catch (error) {
      return raise(L, error);
    }
  };

  const wait = (
    L: LuaState,
    coroutine: Coroutine,
    name: string,
    pending: Suspension | Promise<HostResults>,
  ): number => {
    const { run } = coroutine;
    let isOver = false;
    const resume = (results: HostResults): void => {
      if (isOver) return;
      isOver = true;
      if (results === undefined || Array.isArray(results)) run.wake(coroutine, results ?? []);
      else run.wake(coroutine, undefined, { error: noList(name, results) });
    };
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      run.wake(coroutine, undefined, { error });
    };
    if (pending instanceof Suspension) {
      try {
        pending.arm(resume, fail);
      } catch (error) {
        return raise(L, error);
      }
    } else pending.then(resume, fail);
    coroutine.isHostYield = true;
    run.resetBudget(coroutine);
    return lua.lua_yieldk(L, 0, null, proceed);
  };

  /** What a `__tostring` raises goes straight to the caller. */
  const toTexts = (L: LuaState): void => {
    for (let i = lua.lua_gettop(L); i > 0; i -= 1) {
      lauxlib.luaL_tolstring(L, i);
      lua.lua_replace(L, i);
    }
  };

  const native =
    (style: CallStyle, body: Body): NativeFunction =>
    (L) => {
      if (style.asText === true) toTexts(L);
      const coroutine = L.perilune as Coroutine;
      const { run } = coroutine;
      if (style.yields && !vm.isSuspendable(coroutine)) {
        return raise(
          L,
          new LuaRaise(`attempt to yield across a JS-call boundary: '${style.name}' may wait, and ${WHERE_NOT}`),
        );
      }
      run.hasActed = true;
      let out: HostResults | Suspension | Promise<HostResults>;
      try {
        out = body(coroutine, L);
      } catch (error) {
        return raise(L, error);
      }
      if (run.unwatched !== undefined) run.checkSignal();
      if (run.killed !== undefined) {
        if (!vm.isSuspendable(coroutine)) return raise(L, run.killed);
        coroutine.isHostYield = true; // and nobody wakes it again
        return lua.lua_yieldk(L, 0, null, proceed);
      }
      if (!style.yields && run.isSlow()) lookSoon(L);
      if (out === undefined && !style.yields) return 0;
      if (out !== undefined && !Array.isArray(out)) {
        if (!(out instanceof Suspension || isPromise(out as never))) return raise(L, noList(style.name, out));
        if (!vm.isSuspendable(coroutine)) {
          return raise(
            L,
            new LuaRaise(`attempt to yield across a JS-call boundary: '${style.name}' waits, and ${WHERE_NOT}`),
          );
        }
        return wait(L, coroutine, style.name, out as Suspension | Promise<HostResults>);
      }
      if (style.yields && run.isOverdue()) {
        coroutine.results = out as readonly HostValue[];
        coroutine.isHostYield = true;
        run.resetBudget(coroutine);
        run.requeue(coroutine);
        return lua.lua_yieldk(L, 0, null, proceed);
      }
      try {
        return pushAll(L, out as HostResults);
      } catch (error) {
        return raise(L, error);
      }
    };

  /** Arguments from stack position `first` on. */
  const argumentsOf = (coroutine: Coroutine, L: LuaState, first: number, style: CallStyle): LuaValue[] => {
    const count = lua.lua_gettop(L);
    const base = L.ci.funcOff;
    const args: LuaValue[] = [];
    const limit = coroutine.run.limits.resultBytes;
    let measure: Measure | undefined;
    if (style.measured && limit > 0) {
      const share = limit / (count + 1);
      for (let i = first; i <= count && measure === undefined; i += 1) {
        if (!bridge.isBelow(L.stack[base + i], share)) measure = { left: limit };
      }
    }
    for (let i = first; i <= count; i += 1) {
      const slot = L.stack[base + i];
      args.push(style.byReference ? bridge.reference(slot) : bridge.read(slot, 'host', measure));
    }
    if (measure !== undefined && measure.left < 0) coroutine.run.overLimit('result', `result_bytes ${limit}`);
    return args;
  };

  return {
    /** A module's function. */
    func(style: CallStyle, body: HostFunction): NativeFunction {
      return native(style, (coroutine, L) => {
        const args = argumentsOf(coroutine, L, 1, style);
        return coroutine.run.killed === undefined ? body(coroutine, args) : undefined;
      });
    },
    /** A class's method; raises when it is called on anything else. */
    method<T extends object>(
      style: CallStyle,
      className: string,
      isInstance: (o: object) => boolean,
      body: HostMethod<T>,
    ): NativeFunction {
      return native(style, (coroutine, L) => {
        const slot = lua.lua_gettop(L) > 0 ? L.stack[L.ci.funcOff + 1] : undefined;
        const self = slot === undefined ? undefined : bridge.objectOf(slot);
        if (self === undefined || !isInstance(self)) {
          const got = slot === undefined ? 'no value' : lauxlib.luaL_typename(L, 1);
          throw new LuaRaise(
            `bad argument #1 to '${style.name}' (${className} expected, got ${typeof got === 'string' ? got : Buffer.from(got).toString()})`,
          );
        }
        const args = argumentsOf(coroutine, L, 2, style);
        return coroutine.run.killed === undefined ? body(self as T, coroutine, args) : undefined;
      });
    },
  };
};
export type HostCalls = ReturnType<typeof createHostCalls>;

/** The one mistake that would go unseen: a text has a length as well, and would be pushed letter by letter. */
const noList = (name: string, out: unknown): LuaRaise => {
  const got = out === null ? 'null' : typeof out === 'object' ? 'an object' : `a ${typeof out}`;
  return new LuaRaise(`'${name}' gave ${got}: a host function returns its results as an array`);
};

const WHERE_NOT = 'top-level code and callbacks of sort and gsub cannot wait';

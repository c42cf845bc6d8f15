import type { Clock } from '../../clock.ts';
import { rootContext } from '../../context.ts';
import { CallError, canceled } from '../../errors.ts';
import { Channel, channelCaseClass, channelClass, channelModule } from '../channel.ts';
import type { HostFunction, LuaClass, LuaEngine, LuaLimits, LuaModule, LuaRun, LuaThread } from '../engine.ts';
import { createBridge } from './bridge.ts';
import { createClassDefiner } from './classes.ts';
import { createEnvironments } from './environment.ts';
import { createFrames } from './frames.ts';
import { createHostCalls } from './host-calls.ts';
import { loadFengari } from './load.ts';
import { compile } from './program.ts';
import type { Run } from './run.ts';
import { standingCoroutine } from './standing.ts';
import { createTables } from './tables.ts';
import type { LuaState, LuaTableRecord } from './types.ts';
import { createVm } from './vm.ts';

export interface FengariOptions {
  readonly clock: Clock;
  /** One record per `print`. */
  readonly print: (thread: LuaThread, text: string) => void;
  /** A release that failed at the end of a call: nobody else hears of it. */
  readonly onReleaseError: (run: LuaRun, error: unknown) => void;
  /** Limits of top-level code; those of calls come with each call. */
  readonly limits: LuaLimits;
  /** A call that never waits gives way at a yielding host function after this long; default 1 ms. */
  readonly giveWayMs?: number;
}

/** The default engine: one Lua 5.3 state on fengari (architecture.md, "Engine rules"). */
export const fengariEngine = (options: FengariOptions): LuaEngine => {
  const fengari = loadFengari();
  const main = fengari.lauxlib.luaL_newstate();
  const bridge = createBridge(fengari, main);
  const vm = createVm({
    fengari,
    main,
    bridge,
    frames: createFrames(fengari),
    clock: options.clock,
    neverAborted: rootContext.cancellation,
    giveWayMs: options.giveWayMs ?? 1,
    onReleaseError: options.onReleaseError,
  });
  vm.standing = standingCoroutine(vm);
  // A JavaScript error that leaves a function of the VM itself (a stack overflow, a defect) becomes a Lua error.
  fengari.lua.lua_atnativeerror(main, (L: LuaState) => {
    const thrown: unknown = fengari.lua.lua_touserdata(L, 1);
    if (thrown instanceof CallError) bridge.push(L, thrown);
    else bridge.push(L, thrown instanceof RangeError ? 'stack overflow' : String((thrown as Error)?.message ?? thrown));
    return 1;
  });

  const calls = createHostCalls(vm);
  const tables = createTables(fengari, main, bridge);
  const environments = createEnvironments({ vm, tables, calls, print: options.print });
  const defineClass = createClassDefiner(fengari, bridge, tables, calls);
  const names = new Set<string>(['string', 'table', 'math', 'os', 'coroutine', 'utf8', 'package']);

  type Part = Pick<LuaModule, 'functions' | 'yields' | 'byReference' | 'measured' | 'asText' | 'constants'>;
  const functionOf = (part: Part, name: string, body: HostFunction) => {
    const style = {
      name,
      yields: part.yields?.includes(name) ?? false,
      byReference: part.byReference?.includes(name) ?? false,
      measured: part.measured?.includes(name) ?? false,
      asText: part.asText?.includes(name) ?? false,
    };
    return tables.func(calls.func(style, body));
  };
  const tableOf = (part: Part): LuaTableRecord => {
    const table = tables.make();
    for (const [name, constant] of Object.entries(part.constants ?? {})) {
      tables.set(table, name, tables.constant(constant));
    }
    for (const [name, body] of Object.entries(part.functions ?? {})) {
      tables.set(table, name, functionOf(part, name, body));
    }
    return table;
  };
  const define = (module: LuaModule): void => {
    let value: ReturnType<typeof tables.cell>;
    if (module.object !== undefined) value = bridge.slot(module.object);
    else {
      const table = tableOf(module);
      for (const [name, part] of Object.entries(module.tables ?? {})) {
        tables.set(table, name, tables.cell(tables.freeze(tableOf(part))));
      }
      value = tables.cell(tables.freeze(table));
    }
    environments.addModule(module.name, value, module.isGlobal ?? false);
    for (const [name, body] of Object.entries(module.globals?.functions ?? {})) {
      environments.addGlobal(name, functionOf(module.globals ?? {}, name, body));
    }
    names.add(module.name);
  };

  const isOver = (run: LuaRun): boolean => (run as Run).ended;
  defineClass(channelClass(isOver) as LuaClass<object>);
  defineClass(channelCaseClass as LuaClass<object>);
  define(channelModule(isOver));

  return {
    version: `fengari ${fengari.version} (5.3)`,
    define,
    defineClass,
    moduleNames: names,
    load: (chunk) => compile({ vm, environments, limits: options.limits }, chunk),
    channel: (capacity, feed) => new Channel(capacity, feed),
    close() {
      const stopped = canceled('the program has stopped');
      for (const run of [...vm.waiting]) run.kill(stopped);
      for (let run = vm.current; run !== undefined; run = run.outer) run.kill(stopped);
    },
  };
};

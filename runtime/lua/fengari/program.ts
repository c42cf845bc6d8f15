import type { CallContext } from '../../context.ts';
import { type LuaFrame, notFound } from '../../errors.ts';
import {
  type LuaCallRequest,
  type LuaCallResult,
  type LuaChunk,
  type LuaInstance,
  type LuaLimits,
  type LuaProgram,
  LuaSyntaxError,
} from '../engine.ts';
import { prepareSource } from '../source/prepare.ts';
import { textOf } from '../values.ts';
import { Coroutine } from './coroutine.ts';
import type { Environment, Environments } from './environment.ts';
import { type Bound, Run, type RunOwner } from './run.ts';
import type { LuaCell } from './types.ts';
import type { Vm } from './vm.ts';

/** A compiled chunk, and what it takes to run it in an environment. */
export interface CompiledProgram extends LuaProgram {
  readonly chunk: LuaChunk;
  /** Runs the chunk's top level in an environment; its first result. */
  run(env: Environment, context: CallContext): LuaCell;
}

/** Calls nested deeper than this on the host's stack start later instead, so that recursion cannot exhaust it. */
const MAX_NESTED = 16;

export interface ProgramOptions {
  readonly vm: Vm;
  readonly environments: Environments;
  /** Limits of top-level code. */
  readonly limits: LuaLimits;
}

/** @throws LuaSyntaxError with the file's own line. */
export const compile = (options: ProgramOptions, chunk: LuaChunk): CompiledProgram => {
  const { vm, environments } = options;
  const { lua, lauxlib, lobject, to_luastring } = vm.fengari;
  const { LUA_TTABLE, LUA_TNIL } = vm.fengari.defs.constant_types;
  const offset = '\n'.repeat(chunk.lineOffset ?? 0);
  const bytes = to_luastring(prepareSource(offset + chunk.source, chunk.path).source);
  const L = vm.main;
  if (lauxlib.luaL_loadbufferx(L, bytes, bytes.length, to_luastring(`@${chunk.path}`), to_luastring('t')) !== 0) {
    const text = textOf(lua.lua_tostring(L, -1));
    lua.lua_pop(L, 1);
    const [, line = '1', message = text] = /^.*?:(\d+): (.*)$/s.exec(text) ?? [];
    throw new LuaSyntaxError(message, { path: chunk.path, line: Number(line) });
  }
  const proto = L.stack[L.top - 1].value.p;
  lua.lua_pop(L, 1);
  vm.registerSource(proto.source, chunk.id);

  const run = ({ table, bound }: Environment, context: CallContext): LuaCell => {
    const request = { args: [], context, pid: '', entryId: chunk.id, limits: options.limits };
    const loading = new Run(vm, request, { bound, runEnded() {} }); // there is no instance yet
    loading.stretchStart = vm.clock.now();
    const thread = vm.thread(options.limits.instructions);
    const coroutine = new Coroutine(thread, loading, context); // not resumed, so nothing in it can yield
    const closure = new lobject.LClosure(thread, 1);
    closure.p = proto;
    closure.upvals[0] = new lobject.TValue(LUA_TTABLE, table);
    let frames: readonly LuaFrame[] = [];
    lua.lua_pushcfunction(thread, () => {
      frames = vm.frames.all(thread).slice(1);
      return 1;
    });
    thread.stack[thread.top] = new lobject.TValue(LUA_TNIL, null);
    thread.stack[thread.top].setclLvalue(closure);
    vm.fengari.lapi.api_incr_top(thread);
    if (lua.lua_pcall(thread, 0, 1, 1) === 0) return thread.stack[thread.top - 1];
    throw (loading.killed ?? vm.failureOf(coroutine)).with({ frames }); // the stack is unwound by now
  };

  const callable = (result: LuaCell): LuaCell => {
    if (result.ttisfunction()) return result;
    const method = chunk.method ?? '';
    if (result.type === LUA_TTABLE && method !== '') {
      const field = environments.tables.get(result.value, method);
      if (field.ttisfunction()) return field;
    }
    throw notFound(`method "${method}" not found in module`, { id: chunk.id, path: chunk.path });
  };

  const program: CompiledProgram = {
    id: chunk.id,
    path: chunk.path,
    chunk,
    run,
    instantiate(context) {
      const env = environments.create(program, context);
      return new Instance(vm, program, callable(run(env, context)), env.bound);
    },
  };
  return program;
};

/** One object for each instance, as there may be one for each process. */
class Instance implements LuaInstance, RunOwner {
  readonly program: CompiledProgram;
  readonly bound: Bound;
  readonly #vm: Vm;
  readonly #handler: LuaCell;
  #isBusy = false;
  #isReusable = true;

  constructor(vm: Vm, program: CompiledProgram, handler: LuaCell, bound: Bound) {
    this.program = program;
    this.bound = bound;
    this.#vm = vm;
    this.#handler = handler;
  }

  get reusable(): boolean {
    return this.#isReusable;
  }

  get definedAt(): LuaFrame | undefined {
    if (!this.#handler.ttisLclosure()) return undefined;
    const { path, chunk } = this.program;
    return { source: path, line: this.#handler.value.p.linedefined, name: chunk.method, type: 'Lua' };
  }

  runEnded(isClean: boolean): void {
    this.#isBusy = false;
    if (!isClean) this.#isReusable = false;
  }

  call(request: LuaCallRequest): LuaCallResult | Promise<LuaCallResult> {
    if (this.#isBusy) throw new Error(`an instance of ${this.program.id} was called while it runs another call`);
    const vm = this.#vm;
    const { lua, lobject, lapi } = vm.fengari;
    const { args } = request;
    const thread = vm.thread(request.limits.instructions);
    const run = new Run(vm, request, this);
    request.onStart?.(run);
    const main = new Coroutine(thread, run, request.context);
    main.args = args.length;
    if (args.length > 10) lua.lua_checkstack(thread, args.length + 1);
    thread.stack[thread.top] = new lobject.TValue(this.#handler.type, this.#handler.value);
    lapi.api_incr_top(thread);
    for (let i = 0; i < args.length; i += 1) vm.bridge.push(thread, args[i], 'boundary'); // a thread is lost where it throws
    this.#isBusy = true;
    return vm.nesting >= MAX_NESTED ? run.startLater(main) : run.start(main);
  }
}

import type { CallContext } from '../../context.ts';
import { CallError } from '../../errors.ts';
import { textArgument } from '../arguments.ts';
import { LuaRaise, type LuaThread } from '../engine.ts';
import type { Coroutine } from './coroutine.ts';
import { createCoroutineFunctions } from './coroutines.ts';
import type { HostCalls } from './host-calls.ts';
import { installLibraries } from './libraries/install.ts';
import type { CompiledProgram } from './program.ts';
import type { Bound } from './run.ts';
import type { Tables } from './tables.ts';
import type { LuaCell, LuaState, LuaTableRecord, NativeFunction } from './types.ts';
import type { Vm } from './vm.ts';

/** The globals of one instance, and what `require` finds beside the modules that all have. */
export interface Environment {
  readonly table: LuaTableRecord;
  readonly bound: Bound;
}
const NOTHING_BOUND: Bound = new Map();

/** The read-only base that all environments share, and the environments over it. */
export interface Environments {
  readonly tables: Tables;
  /** Binds a module under its name, for `require` and `modules:`; a global one in every environment. */
  addModule(name: string, value: LuaCell, isGlobal: boolean): void;
  /** A name that every environment has. */
  addGlobal(name: string, value: LuaCell): void;
  /** A fresh environment for an entry: its modules bound, its libraries run. @throws CallError */
  create(program: CompiledProgram, context: CallContext): Environment;
  has(name: string): boolean;
}

export interface EnvironmentOptions {
  readonly vm: Vm;
  readonly tables: Tables;
  readonly calls: HostCalls;
  /** Where `print` goes. */
  readonly print: (thread: LuaThread, text: string) => void;
}

export const createEnvironments = ({ vm, tables, calls, print }: EnvironmentOptions): Environments => {
  const { lua, lauxlib, lobject, to_luastring } = vm.fengari;
  const { LUA_TTABLE } = vm.fengari.defs.constant_types;
  const { main } = vm;

  const base = tables.make();
  installLibraries(vm.fengari, main, base, {
    clock: vm.clock,
    asText: (L: LuaState, index: number) => {
      const object = vm.bridge.objectOf(L.stack[L.ci.funcOff + index]);
      return object instanceof CallError ? to_luastring(object.message) : undefined;
    },
  });
  const setFunction = (table: LuaTableRecord, name: string, f: NativeFunction): void =>
    tables.set(table, name, tables.func(f));
  const lib = (functions: Record<string, NativeFunction>): LuaTableRecord => {
    const table = tables.make();
    for (const [name, f] of Object.entries(functions)) setFunction(table, name, f);
    return tables.freeze(table);
  };

  const wrapped = createCoroutineFunctions(vm);
  for (const [name, f] of Object.entries(wrapped.base)) setFunction(base, name, f);
  tables.set(base, 'coroutine', tables.cell(lib(wrapped.coroutine)));

  setFunction(base, 'print', (L) => {
    const parts: string[] = [];
    for (let i = 1; i <= lua.lua_gettop(L); i += 1) {
      parts.push(Buffer.from(lauxlib.luaL_tolstring(L, i)).toString('utf8'));
      lua.lua_pop(L, 1);
    }
    print(L.perilune as Coroutine, parts.join(' '));
    return 0;
  });
  const packageStub = tables.make();
  tables.set(packageStub, 'path', vm.bridge.slot(''));
  tables.set(packageStub, 'cpath', vm.bridge.slot(''));
  tables.set(packageStub, 'loaded', tables.cell(tables.freeze(tables.make())));
  setFunction(packageStub, 'loadlib', (L) => {
    lua.lua_pushnil(L);
    lua.lua_pushliteral(L, 'dynamic libraries are not available');
    return 2;
  });
  tables.set(base, 'package', tables.cell(tables.freeze(packageStub)));

  // ---- run-time validators (lua/conventions.md, section 3) --------------------------------------------------------
  const validator =
    (name: string, accepts: (value: unknown, type: string) => boolean, first: number): NativeFunction =>
    (L) => {
      const slot = L.stack[L.ci.funcOff + first];
      const value = slot === undefined || lua.lua_gettop(L) < first ? undefined : vm.bridge.read(slot, 'host');
      const type = lua.lua_gettop(L) < first ? 'nil' : Buffer.from(lauxlib.luaL_typename(L, first)).toString();
      if (!accepts(value, type)) return lauxlib.luaL_error(L, to_luastring(`expected ${name}, got ${type}`));
      lua.lua_settop(L, first);
      if (first > 1) lua.lua_remove(L, 1);
      return 1;
    };
  setFunction(
    base,
    'number',
    validator('number', (_, type) => type === 'number', 1),
  );
  setFunction(
    base,
    'integer',
    validator('integer', (value) => Number.isInteger(value), 1),
  );
  setFunction(
    base,
    'boolean',
    validator('boolean', (_, type) => type === 'boolean', 1),
  );
  setFunction(
    base,
    'any',
    validator('any', () => true, 1),
  );
  const stringMeta = tables.make();
  setFunction(
    stringMeta,
    '__call',
    validator('string', (_, type) => type === 'string', 2),
  );
  tables.set(stringMeta, '__metatable', vm.bridge.slot(false));
  (tables.get(base, 'string').value as LuaTableRecord).metatable = tables.freeze(stringMeta);

  // ---- modules ----------------------------------------------------------------------------------------------------
  const modules = new Map<string, LuaCell>();
  const globals = new Set(['string', 'table', 'math', 'os', 'coroutine', 'utf8', 'package']);
  const envMeta = tables.make();
  tables.set(envMeta, '__index', tables.cell(base));
  tables.set(envMeta, '__metatable', vm.bridge.slot(false));
  tables.freeze(envMeta);

  const requireStyle = { name: 'require', yields: false, byReference: false, measured: false };
  const require = calls.func(requireStyle, (thread, args) => {
    const name = textArgument(args, 1, 'require');
    const value = (thread as Coroutine).run.bound.get(name) ?? (globals.has(name) ? tables.get(base, name) : undefined);
    if (value === undefined) throw new LuaRaise(`module '${name}' not found`);
    return [vm.bridge.reference(value)];
  });
  setFunction(base, 'require', require);

  const bind = (env: LuaTableRecord, bound: Map<string, LuaCell>, name: string, value: LuaCell, from: string): void => {
    const known = bound.get(name);
    if (known !== undefined && known.value !== value.value) {
      throw new CallError(`'${name}' is bound to two things in ${from} and its libraries. Use another alias.`, {
        kind: 'Conflict',
        retryable: false,
      });
    }
    bound.set(name, value);
    tables.set(env, name, value);
  };

  const prepare = (
    program: CompiledProgram,
    env: LuaTableRecord,
    bound: Map<string, LuaCell>,
    loaded: Map<CompiledProgram, LuaCell>,
    context: CallContext,
  ): void => {
    const { modules: names, imports } = program.chunk;
    for (const name of names) {
      const module = modules.get(name);
      if (module !== undefined) bind(env, bound, name, module, program.id);
      else if (!globals.has(name))
        throw new CallError(`module '${name}' not found`, { kind: 'NotFound', retryable: false });
    }
    for (const [alias, target] of Object.entries(imports)) {
      const library = target as CompiledProgram;
      let value = loaded.get(library);
      if (value === undefined) {
        prepare(library, env, bound, loaded, context);
        const result = library.run({ table: env, bound }, context);
        value = new lobject.TValue(result.type, result.value) as LuaCell;
        loaded.set(library, value);
      }
      bind(env, bound, alias, value as LuaCell, program.id);
    }
  };

  return {
    tables,
    has: (name) => modules.has(name) || globals.has(name),
    addModule(name, value, isGlobal) {
      if (modules.has(name) || globals.has(name)) throw new Error(`the Lua module '${name}' is defined twice`);
      modules.set(name, value);
      if (!isGlobal) return;
      globals.add(name);
      tables.set(base, name, value);
    },
    addGlobal: (name, value) => tables.set(base, name, value),
    create(program, context) {
      const table = tables.make();
      table.metatable = envMeta;
      tables.set(table, '_G', new lobject.TValue(LUA_TTABLE, table));
      const { modules: names, imports } = program.chunk;
      if (names.length === 0 && Object.keys(imports).length === 0) return { table, bound: NOTHING_BOUND };
      const bound = new Map<string, LuaCell>();
      prepare(program, table, bound, new Map(), context);
      return { table, bound };
    },
  };
};

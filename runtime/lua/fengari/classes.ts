import { type LuaClass, LuaRaise } from '../engine.ts';
import type { Bridge } from './bridge.ts';
import type { HostCalls } from './host-calls.ts';
import type { Tables } from './tables.ts';
import type { Fengari, LuaState, NativeFunction } from './types.ts';

/** Makes the metatable of a class: methods readable as fields, unknown fields nil, assignment raises. */
export const createClassDefiner = (fengari: Fengari, bridge: Bridge, tables: Tables, calls: HostCalls) => {
  const { lua, lauxlib, to_luastring } = fengari;
  const raise = (L: LuaState, text: string): number => lauxlib.luaL_error(L, to_luastring(text.replaceAll('%', '%%')));

  return <T extends object>(type: LuaClass<T>): void => {
    const isInstance = (o: object): boolean => o.constructor === type.constructor;
    const methods = tables.make();
    for (const [name, body] of Object.entries(type.methods)) {
      const style = {
        name,
        yields: type.yields?.includes(name) ?? false,
        byReference: type.byReference?.includes(name) ?? false,
        measured: false,
      };
      tables.set(methods, name, tables.func(calls.method(style, type.name, isInstance, body)));
    }
    const text = (self: T): string => type.tostring?.(self) ?? type.name;

    const concat: NativeFunction = (L) => {
      for (const position of [1, 2]) {
        const object = bridge.objectOf(L.stack[L.ci.funcOff + position]);
        if (object !== undefined && isInstance(object)) bridge.push(L, text(object as T));
        else if (lua.lua_isstring(L, position)) lua.lua_pushvalue(L, position);
        else return raise(L, `attempt to concatenate a ${Buffer.from(lauxlib.luaL_typename(L, position))} value`);
      }
      lua.lua_concat(L, 2);
      return 1;
    };

    const metatable = tables.make();
    const set = (name: string, f: NativeFunction): void => tables.set(metatable, name, tables.func(f));
    tables.set(metatable, '__name', bridge.slot(type.name));
    tables.set(metatable, '__metatable', bridge.slot(false));
    tables.set(metatable, '__index', tables.cell(tables.freeze(methods)));
    set('__newindex', (L) => raise(L, `a ${type.name} cannot be changed`));
    set('__tostring', (L) => {
      const object = bridge.objectOf(L.stack[L.ci.funcOff + 1]);
      if (object === undefined || !isInstance(object)) throw new LuaRaise(`${type.name} expected`);
      bridge.push(L, text(object as T));
      return 1;
    });
    if (type.concatenates === true) set('__concat', concat);
    bridge.addClass(type as unknown as LuaClass<object>, tables.freeze(metatable));
  };
};

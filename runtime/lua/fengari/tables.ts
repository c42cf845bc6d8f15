import type { HostValue } from '../values.ts';
import type { Bridge } from './bridge.ts';
import type { Fengari, LuaCell, LuaState, LuaTableRecord, NativeFunction } from './types.ts';

/** Builds and reads the VM's tables from outside of Lua: environments, modules, metatables. */
export interface Tables {
  make(): LuaTableRecord;
  set(table: LuaTableRecord, key: string, value: LuaCell): void;
  get(table: LuaTableRecord, key: string): LuaCell;
  func(f: NativeFunction): LuaCell;
  cell(table: LuaTableRecord): LuaCell;
  /** A constant: nested plain objects become tables that cannot be changed. */
  constant(value: HostValue): LuaCell;
  freeze(table: LuaTableRecord): LuaTableRecord;
}

export const createTables = (fengari: Fengari, main: LuaState, bridge: Bridge): Tables => {
  const { lobject, ltable } = fengari;
  const { LUA_TTABLE, LUA_TLCF } = fengari.defs.constant_types;
  const isPlain = (value: unknown): value is Record<string, HostValue> =>
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

  const tables: Tables = {
    make: () => ltable.luaH_new(main),
    set(table, key, value) {
      ltable.luaH_setfrom(main, table, bridge.slot(key), value);
      ltable.invalidateTMcache(table);
    },
    get: (table, key) => ltable.luaH_get(main, table, bridge.slot(key)),
    func: (f) => new lobject.TValue(LUA_TLCF, f),
    cell: (table) => new lobject.TValue(LUA_TTABLE, table),
    constant(value) {
      if (!isPlain(value)) return bridge.slot(value);
      const table = tables.make();
      for (const [key, one] of Object.entries(value)) tables.set(table, key, tables.constant(one));
      return tables.cell(tables.freeze(table));
    },
    freeze(table) {
      table.readonly = true;
      return table;
    },
  };
  return tables;
};

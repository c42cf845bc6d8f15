import { CallError, internal } from '../../errors.ts';
import type { LuaClass } from '../engine.ts';
import {
  type HostObject,
  type HostValue,
  hostObject,
  type LuaKey,
  LuaOpaque,
  type LuaReference,
  LuaTable,
  type LuaValue,
  luaReference,
} from '../values.ts';
import { bytesForVm, textOfString } from './strings.ts';
import type { Fengari, LuaState as State, LuaTableRecord as Table, LuaCell as TValue } from './types.ts';

/** Tables nested deeper than this do not cross (architecture.md, "Engine rules"). */
const MAX_DEPTH = 10_000;
/** What a value that is not text counts against `result_bytes` (extensions.md, section 2). */
const VALUE_BYTES = 16;

/** Counts what is marshalled; `left` below 0 means that the limit is exceeded. */
export interface Measure {
  left: number;
}

/** `boundary`: towards another call, where host objects but errors mean nothing and become nil (common.md, section 7). */
export type Direction = 'host' | 'boundary';

export interface Bridge {
  /** Pushes a value onto the stack of `L`. */
  push(L: State, value: HostValue, direction?: Direction): void;
  /** The value as a slot of its own. */
  slot(value: HostValue): TValue;
  /** The value of one stack slot or constant. */
  read(tv: TValue, direction: Direction, measure?: Measure): LuaValue;
  /** The same by identity. */
  reference(tv: TValue): LuaReference;
  /** The host object in a slot, or undefined. */
  objectOf(tv: TValue): object | undefined;
  /** Registers the metatable of a class. */
  addClass(type: LuaClass<object>, metatable: Table): void;
}

class Reference implements LuaReference {
  readonly [luaReference] = true as const;
  readonly slot: TValue;
  readonly #read: (tv: TValue) => LuaValue;
  constructor(slot: TValue, read: (tv: TValue) => LuaValue) {
    this.slot = slot;
    this.#read = read;
  }
  copy(): LuaValue {
    return this.#read(this.slot);
  }
}

/** The key under which a userdata holds its host object. */
const HOST = Symbol('perilune.host');

export const createBridge = (fengari: Fengari, main: State): Bridge => {
  const { lobject, ltable, lstring } = fengari;
  const tags = fengari.defs.constant_types;
  const {
    LUA_TNIL,
    LUA_TBOOLEAN,
    LUA_TNUMFLT,
    LUA_TNUMINT,
    LUA_TSHRSTR,
    LUA_TLNGSTR,
    LUA_TTABLE,
    LUA_TUSERDATA,
    LUA_TTHREAD,
  } = tags;
  const metatables = new Map<unknown, Table>();
  /** One userdata per host object, so that equality in Lua is identity in the host. */
  const userdata = new WeakMap<object, object>();

  // ---- from Lua -------------------------------------------------------------------------------------------------
  const scalar = (tv: TValue, direction: Direction): LuaValue => {
    switch (tv.type) {
      case LUA_TNIL:
        return undefined;
      case LUA_TBOOLEAN:
        return tv.value as boolean;
      case LUA_TNUMFLT:
      case LUA_TNUMINT:
        return tv.value as number;
      case LUA_TSHRSTR:
      case LUA_TLNGSTR:
        return textOfString(tv.value as never);
      case LUA_TUSERDATA: {
        const object = objectOf(tv);
        if (object instanceof CallError) return object;
        if (direction === 'boundary') return undefined;
        return object === undefined ? new LuaOpaque('userdata', 'userdata') : (object as HostObject);
      }
      default:
        if (direction === 'boundary') return undefined;
        return tv.type === LUA_TTHREAD ? new LuaOpaque('thread', 'thread') : new LuaOpaque('function', 'function');
    }
  };

  const read = (tv: TValue, direction: Direction, measure?: Measure): LuaValue => {
    if (tv.type === LUA_TTABLE) return readTable(tv.value as Table, direction, measure);
    const value = scalar(tv, direction);
    if (measure !== undefined) measure.left -= cost(value);
    return value;
  };

  /** Iterative, because tables may be nested deeper than JavaScript's stack; order inside each table is kept. */
  const readTable = (root: Table, direction: Direction, measure: Measure | undefined): LuaTable => {
    const top = new LuaTable();
    let seen: Map<Table, LuaTable> | undefined;
    let work: { from: Table; to: LuaTable; depth: number }[] | undefined;
    let item: { from: Table; to: LuaTable; depth: number } | undefined = { from: root, to: top, depth: 1 };
    while (item !== undefined) {
      const { from, to, depth } = item;
      for (let entry = from.f; entry !== undefined; entry = entry.n) {
        const key: LuaKey | undefined =
          entry.key.type === LUA_TTABLE ? undefined : (scalar(entry.key, 'host') as LuaKey | undefined);
        // A table or function as a key has no meaning outside this Lua instance.
        if (key === undefined || (typeof key === 'object' && !(key instanceof Uint8Array))) continue;
        let value: LuaValue;
        if (entry.value.type === LUA_TTABLE) {
          const child = entry.value.value as Table;
          if (seen === undefined) {
            seen = new Map([[root, top]]);
            work = [];
          }
          let copy = seen.get(child);
          if (copy === undefined) {
            if (depth >= MAX_DEPTH) throw internal(`table nested deeper than ${MAX_DEPTH} levels`);
            copy = new LuaTable(new Map(), { isEmptyObject: child.peEmptyObject === true });
            seen.set(child, copy);
            work?.push({ from: child, to: copy, depth: depth + 1 });
          }
          value = copy;
        } else value = scalar(entry.value, direction);
        if (measure !== undefined) {
          measure.left -= cost(key as LuaValue) + cost(value);
          if (measure.left < 0) return top;
        }
        if (value !== undefined) to.map.set(key, value);
      }
      item = work?.pop();
    }
    return root.peEmptyObject === true && top.map.size === 0 ? new LuaTable(top.map, { isEmptyObject: true }) : top;
  };

  const objectOf = (tv: TValue): object | undefined =>
    tv.type === LUA_TUSERDATA ? (tv.value as { data: Record<symbol, object> }).data[HOST] : undefined;

  // ---- to Lua ---------------------------------------------------------------------------------------------------
  const stringValue = (value: string | Uint8Array): TValue =>
    new lobject.TValue(LUA_TLNGSTR, lstring.luaS_bless(main, bytesForVm(value)));

  const objectValue = (object: object): TValue => {
    const metatable = metatables.get(object.constructor);
    if (metatable === undefined) {
      throw internal(`a ${object.constructor?.name ?? 'host'} object cannot be given to Lua: its class is not defined`);
    }
    let udata = userdata.get(object) as { metatable: unknown; data: Record<symbol, object> } | undefined;
    if (udata === undefined) {
      const made = new lobject.Udata(main, 0) as { metatable: unknown; data: Record<symbol, object> };
      made.metatable = metatable;
      made.data[HOST] = object;
      userdata.set(object, made);
      udata = made;
    }
    return new lobject.TValue(LUA_TUSERDATA, udata);
  };

  type Container = LuaTable | readonly HostValue[] | { readonly [key: string]: HostValue };
  interface Pending {
    readonly from: Container;
    readonly to: Table;
    readonly depth: number;
  }

  const write = (value: HostValue, containers: (from: Container) => Table, direction: Direction): TValue => {
    switch (typeof value) {
      case 'undefined':
        return new lobject.TValue(LUA_TNIL, null);
      case 'boolean':
        return new lobject.TValue(LUA_TBOOLEAN, value);
      case 'number':
        return new lobject.TValue(LUA_TNUMFLT, value);
      case 'string':
        return stringValue(value);
      case 'object':
        break;
      default:
        throw internal(`a ${typeof value} cannot be given to Lua`);
    }
    if (value === null) return new lobject.TValue(LUA_TNIL, null);
    if (value instanceof Uint8Array) return stringValue(value);
    if (value instanceof Reference) return new lobject.TValue(value.slot.type, value.slot.value);
    if (value instanceof CallError) return objectValue(value);
    if (hostObject in value) return direction === 'host' ? objectValue(value) : new lobject.TValue(LUA_TNIL, null);
    if (value instanceof LuaOpaque) return new lobject.TValue(LUA_TNIL, null);
    return new lobject.TValue(LUA_TTABLE, containers(value as Container));
  };

  const writeAll = (value: HostValue, direction: Direction): TValue => {
    let seen: Map<Container, Table> | undefined;
    const work: Pending[] = [];
    let depth = 0;
    const containers = (from: Container): Table => {
      seen ??= new Map();
      let to = seen.get(from);
      if (to === undefined) {
        if (depth >= MAX_DEPTH) throw internal(`table nested deeper than ${MAX_DEPTH} levels`);
        to = ltable.luaH_new(main) as Table;
        seen.set(from, to);
        work.push({ from, to, depth: depth + 1 });
      }
      return to;
    };
    const result = write(value, containers, direction);
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
      const { from, to } = item;
      depth = item.depth;
      const set = (key: TValue, one: HostValue): void => {
        if (one === undefined || one === null) return;
        ltable.luaH_setfrom(main, to, key, write(one, containers, direction));
      };
      if (from instanceof LuaTable) {
        if (from.isEmptyObject) to.peEmptyObject = true;
        for (const [key, one] of from.map) set(write(key as HostValue, containers, direction), one);
      } else if (Array.isArray(from)) {
        for (let i = 0; i < from.length; i += 1) set(new lobject.TValue(LUA_TNUMFLT, i + 1), from[i] as HostValue);
      } else {
        for (const [key, one] of Object.entries(from as Record<string, HostValue>)) set(stringValue(key), one);
      }
    }
    return result;
  };

  const readHost = (tv: TValue): LuaValue => read(tv, 'host');
  return {
    slot: (value) => writeAll(value, 'host'),
    push(L, value, direction = 'host') {
      L.stack[L.top] = writeAll(value, direction);
      fengari.lapi.api_incr_top(L);
    },
    read,
    reference: (tv) => new Reference(new lobject.TValue(tv.type, tv.value), readHost),
    objectOf,
    addClass(type, metatable) {
      metatables.set(type.constructor, metatable);
    },
  };
};

const cost = (value: LuaValue): number => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return value instanceof Uint8Array ? value.length : VALUE_BYTES;
};

import { CallError, internal } from '../../errors.ts';
import type { LuaClass } from '../engine.ts';
import { refuseOpaqueRecord } from '../plain-record.ts';
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
  type VmSlotted,
  vmSlot,
} from '../values.ts';
import { contentForVm, textOfString } from './strings.ts';
import type { Fengari, LuaState as State, LuaTableRecord as Table, LuaCell as TValue } from './types.ts';

/** Tables nested deeper than this do not cross (architecture.md, "Engine rules"). */
const MAX_DEPTH = 10_000;
/** What a value that is not text counts against `result_bytes` (extensions.md, section 2). */
const VALUE_BYTES = 16;
/** Bytes of UTF-8 that one unit of a JavaScript string can take. */
const UTF8_MAX = 3;

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
  /** Whether a value's measure is below `limit` for certain: no look at its bytes is needed. */
  isBelow(tv: TValue, limit: number): boolean;
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

/** Names kept per VM, and the length up to which they are: what grows with the data is not kept for ever. */
const MAX_NAMES = 1024;
const MAX_NAME = 64;

/** A userdata. All of them are the bridge's own, so that the data is the host object itself. */
interface Userdata {
  metatable: unknown;
  data: object;
}

export const createBridge = (fengari: Fengari, main: State): Bridge => {
  const { lobject, ltable, lstring } = fengari;
  const { api_incr_top } = fengari.lapi;
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
  const userdata = new WeakMap<object, Userdata>();

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
    tv.type === LUA_TUSERDATA ? (tv.value as Userdata).data : undefined;

  // ---- to Lua ---------------------------------------------------------------------------------------------------
  const stringValue = (value: string | Uint8Array): TValue =>
    new lobject.TValue(LUA_TLNGSTR, new lstring.TString(main, contentForVm(value)));

  /** Field names of records come again and again: their strings are kept, with the hash that the VM puts on them. */
  let names = new Map<string, object>();
  const nameValue = (name: string): TValue => {
    let known = names.get(name);
    if (known === undefined) {
      known = new lstring.TString(main, contentForVm(name)) as object;
      if (name.length <= MAX_NAME) {
        if (names.size >= MAX_NAMES) names = new Map();
        names.set(name, known);
      }
    }
    return new lobject.TValue(LUA_TLNGSTR, known);
  };

  const objectValue = (object: object): TValue => {
    const metatable = metatables.get(object.constructor);
    if (metatable === undefined) {
      throw internal(`a ${object.constructor?.name ?? 'host'} object cannot be given to Lua: its class is not defined`);
    }
    const slotted = vmSlot in object ? (object as VmSlotted) : undefined;
    // The slot may hold what another engine has made: that one has metatables of its own.
    let udata = slotted === undefined ? userdata.get(object) : (slotted[vmSlot] as Userdata | undefined);
    if (udata?.metatable !== metatable) {
      udata = new lobject.Udata(main) as Userdata;
      udata.metatable = metatable;
      udata.data = object;
      if (slotted === undefined) userdata.set(object, udata);
      else slotted[vmSlot] = udata;
    }
    return new lobject.TValue(LUA_TUSERDATA, udata);
  };

  type Container = LuaTable | readonly HostValue[] | { readonly [key: string]: HostValue };
  interface Pending {
    readonly from: Container;
    readonly to: Table;
    readonly depth: number;
  }

  /** Everything but containers: undefined for those. */
  const leaf = (value: HostValue, direction: Direction): TValue | undefined => {
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
    if (hostObject in value) return direction === 'host' ? objectValue(value) : new lobject.TValue(LUA_TNIL, null);
    if (value instanceof Uint8Array) return stringValue(value);
    if (value instanceof Reference) return new lobject.TValue(value.slot.type, value.slot.value);
    if (value instanceof CallError) return objectValue(value);
    if (value instanceof LuaOpaque) return new lobject.TValue(LUA_TNIL, null);
    return undefined;
  };

  /** Containers are filled from a list, because they may be nested deeper than JavaScript's stack. */
  class Writer {
    readonly #direction: Direction;
    #seen: Map<Container, Table> | undefined;
    readonly #work: Pending[] = [];
    #depth = 0;

    constructor(direction: Direction) {
      this.#direction = direction;
    }

    write(value: Container): TValue {
      const result = this.#value(value);
      for (let item = this.#work.pop(); item !== undefined; item = this.#work.pop()) {
        this.#depth = item.depth;
        this.#fill(item.to, item.from);
      }
      return result;
    }

    /** The table that stands for `from`, the same each time; filled later. */
    #table(from: Container): Table {
      const known = this.#seen?.get(from);
      if (known !== undefined) return known;
      if (this.#depth >= MAX_DEPTH) throw internal(`table nested deeper than ${MAX_DEPTH} levels`);
      const to = ltable.luaH_new(main) as Table;
      this.#seen ??= new Map();
      this.#seen.set(from, to);
      this.#work.push({ from, to, depth: this.#depth + 1 });
      return to;
    }

    #fill(to: Table, from: Container): void {
      if (from instanceof LuaTable) {
        if (from.isEmptyObject) to.peEmptyObject = true;
        for (const [key, one] of from.map) {
          this.#set(to, typeof key === 'string' ? nameValue(key) : this.#value(key as HostValue), one);
        }
      } else if (Array.isArray(from)) {
        for (let i = 0; i < from.length; i += 1) {
          this.#set(to, new lobject.TValue(LUA_TNUMFLT, i + 1), from[i] as HostValue);
        }
      } else {
        const record = from as Record<string, HostValue>;
        refuseOpaqueRecord(record);
        for (const key of Object.keys(record)) this.#set(to, nameValue(key), record[key]);
      }
    }

    #set(to: Table, key: TValue, one: HostValue): void {
      if (one === undefined || one === null) return;
      ltable.luaH_setfrom(main, to, key, this.#value(one));
    }

    #value(one: HostValue): TValue {
      return leaf(one, this.#direction) ?? new lobject.TValue(LUA_TTABLE, this.#table(one as Container));
    }
  }

  const writeAll = (value: HostValue, direction: Direction): TValue =>
    leaf(value, direction) ?? new Writer(direction).write(value as Container);

  const readHost = (tv: TValue): LuaValue => read(tv, 'host');
  return {
    slot: (value) => writeAll(value, 'host'),
    push(L, value, direction = 'host') {
      L.stack[L.top] = writeAll(value, direction);
      api_incr_top(L);
    },
    read,
    isBelow(tv, limit) {
      if (tv.type !== LUA_TLNGSTR && tv.type !== LUA_TSHRSTR) return tv.type !== LUA_TTABLE && limit > VALUE_BYTES;
      const { bytes, peText } = tv.value as { readonly bytes: Uint8Array | null; readonly peText?: string };
      return (bytes?.length ?? (peText as string).length * UTF8_MAX) < limit;
    },
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

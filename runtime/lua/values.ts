import type { CallError } from '../errors.ts';

/**
 * What comes out of Lua. A Lua string is a JavaScript string where its bytes are valid UTF-8 and a Uint8Array where
 * they are not, so that nothing is lost either way. Numbers are doubles. nil is undefined.
 */
export type LuaValue =
  | undefined
  | boolean
  | number
  | string
  | Uint8Array
  | LuaTable
  | CallError
  | HostObject
  | LuaOpaque
  | LuaReference;

/** What host code may hand to Lua: also plain arrays (1-based sequences), plain objects (string keys) and null (nil). */
export type HostValue = LuaValue | null | Uint8Array | readonly HostValue[] | { readonly [key: string]: HostValue };

/** An instance of a class that was defined with `LuaEngine.defineClass`: userdata to Lua, itself to the host. */
export interface HostObject {
  readonly [hostObject]: true;
}
/** Marks instances that may cross into Lua as userdata; the engine finds their methods by constructor. */
export const hostObject: unique symbol = Symbol('perilune.hostObject');

/**
 * Where the engine keeps the userdata of an instance, so that equality in Lua is identity in the host. Classes of which there
 * are many declare it; those of others are in a table with weak keys, which costs more and slows the collector of garbage.
 */
export const vmSlot: unique symbol = Symbol('perilune.vmSlot');
export interface VmSlotted {
  [vmSlot]: object | undefined;
}

/** A function, thread or foreign userdata: it has no meaning outside its Lua instance. */
export class LuaOpaque {
  readonly type: 'function' | 'thread' | 'userdata' | 'channel';
  readonly text: string;
  constructor(type: LuaOpaque['type'], text: string) {
    this.type = type;
    this.text = text;
  }
}

/** A Lua value by identity, for host functions that ask for it (`byReference`): handed back it is the very same value. */
export interface LuaReference {
  readonly [luaReference]: true;
  /** A deep copy as plain values (common.md, section 7). */
  copy(): LuaValue;
}
export const luaReference: unique symbol = Symbol('perilune.luaReference');

export type LuaKey = string | number | boolean | Uint8Array | object;

/** A copy of a Lua table: shared references and cycles inside one value are kept. Insertion order is Lua's `next` order. */
export class LuaTable {
  readonly map: Map<LuaKey, LuaValue>;
  /** Made by decoding an empty JSON object: encodes as `{}` again, not as `[]` (lua/json.md). */
  readonly isEmptyObject: boolean;

  constructor(map: Map<LuaKey, LuaValue> = new Map(), options: { isEmptyObject?: boolean } = {}) {
    this.map = map;
    this.isEmptyObject = options.isEmptyObject ?? false;
  }

  get(key: LuaKey): LuaValue {
    return this.map.get(key);
  }

  /** The border that counting from 1 finds. */
  get length(): number {
    let n = 0;
    while (this.map.has(n + 1)) n += 1;
    return n;
  }

  /** Items 1..length. */
  sequence(): LuaValue[] {
    const out: LuaValue[] = [];
    for (let i = 1; this.map.has(i); i += 1) out.push(this.map.get(i));
    return out;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes of a Lua string as a LuaValue: text where they are UTF-8, themselves where not. */
export const stringFromBytes = (bytes: Uint8Array): string | Uint8Array => {
  try {
    return utf8.decode(bytes);
  } catch {
    // Not UTF-8: a fatal decoder has no other way to say so. The bytes are kept as they are.
    return bytes;
  }
};
/** Text for people and text formats: invalid sequences become U+FFFD. */
export const textOf = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : lenient.decode(value);
/** Bytes for sockets, files and binary formats. */
export const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
export const isLuaString = (value: unknown): value is string | Uint8Array =>
  typeof value === 'string' || value instanceof Uint8Array;

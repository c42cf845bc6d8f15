import type { CallContext } from '../../runtime/context.ts';
import { portKey } from '../../runtime/env.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import type { RedisLink } from '../../runtime/redis/link.ts';
import type { Awaitable, BackendInfo, ListQuery, Page, PutOptions, PutOutcome, StoredEntry } from './backend.ts';

/**
 * A declared store; every use goes through its site. Keys may be given in either form (`k` is `:k`); values that go in
 * are copied. All throw or reject with CallError: Unavailable (full, stopped) or Internal.
 */
export interface Store {
  readonly id: string;
  readonly info: BackendInfo;
  get(key: string, context: CallContext): Awaitable<StoredEntry | undefined>;
  has(key: string, context: CallContext): Awaitable<boolean>;
  /** `ttl` in seconds; absent or not above 0: no expiry. */
  set(key: string, value: LuaValue, ttl: number | undefined, context: CallContext): Awaitable<void>;
  delete(key: string, context: CallContext): Awaitable<boolean>;
  list(query: ListQuery, context: CallContext): Awaitable<Page>;
  put(key: string, value: LuaValue, options: PutOptions, context: CallContext): Awaitable<PutOutcome>;
}

/** Where a `store.redis` is, for what other surfaces keep beside its entries. */
export interface RedisPlace {
  /** Of all its keys. */
  readonly prefix: string;
  /** Running while the store is. */
  readonly link: RedisLink;
}

export interface Stores {
  get(id: string): Store | undefined;
  /** Undefined for stores of another kind. */
  redis(id: string): RedisPlace | undefined;
}
export const STORES = portKey<Stores>('stores');

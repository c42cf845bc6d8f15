import type { HostData } from '../../runtime/codec/host-data.ts';
import type { CallContext } from '../../runtime/context.ts';

/** A backend answers at once where it can: the memory one always does, a remote one never. */
export type Awaitable<T> = T | Promise<T>;

/** Key in its reported form (`:k` or `a:b`), value, and an opaque positive version that every write of the key changes (`0` where the backend has none). */
export interface StoredEntry {
  readonly key: string;
  /** Read-only, and shared with nobody who writes. */
  readonly value: HostData;
  readonly version: string;
}

export interface ListQuery {
  readonly prefix: string;
  /** The last key of the page before; exclusive. Empty: from the first. */
  readonly after: string;
  readonly limit: number;
}
export interface Page {
  /** By ascending key. */
  readonly items: readonly StoredEntry[];
  readonly hasMore: boolean;
}

export interface PutOptions {
  /** Seconds; absent or 0: no expiry. */
  readonly ttl?: number;
  readonly onlyIfAbsent?: boolean;
  readonly ifVersion?: string;
}
/** A condition that does not hold is an outcome, not an error: it is counted as `conflict` or `not_found`. */
export type PutOutcome =
  | { readonly result: 'ok'; readonly entry: StoredEntry }
  | { readonly result: 'exists' | 'conflict' | 'not_found' };

/** What `store:info()` tells of a kind of store (lua/store.md, section 6). */
export interface BackendInfo {
  readonly backend: string;
  readonly consistency: string;
  readonly durable: boolean;
  readonly list: boolean;
  readonly versioned: boolean;
  readonly conditional_put: boolean;
  readonly ttl: boolean;
}

/**
 * Where a store's entries live. It knows no telemetry and no Lua; keys come in their reported form. Every method throws
 * (or rejects with) a CallError: Unavailable `store is full` or `store is stopped`, Internal for a failing backend.
 * Expired entries behave as absent at once. `context` is the caller's, for backends that use another surface. All backends pass test/services/kv/contract.ts.
 */
export interface StoreBackend {
  readonly info: BackendInfo;
  /** `db.system.name` of spans, and whether the store is in this program. */
  readonly system: string;
  readonly isEmbedded: boolean;
  /** Where the entries are, as spans may show it (conventions.md, section 5); absent: under the store's own id. */
  spanAttributes?(): Readonly<Record<string, string | number>>;
  get(key: string, context?: CallContext): Awaitable<StoredEntry | undefined>;
  has(key: string, context?: CallContext): Awaitable<boolean>;
  /** Removes an earlier expiry where `ttl` is absent. */
  set(key: string, value: HostData, ttl: number | undefined, context?: CallContext): Awaitable<void>;
  /** False when there was nothing to delete. */
  delete(key: string, context?: CallContext): Awaitable<boolean>;
  list(query: ListQuery, context?: CallContext): Awaitable<Page>;
  /** Conditions are atomic against all other writers. */
  put(key: string, value: HostData, options: PutOptions, context?: CallContext): Awaitable<PutOutcome>;
  start(): Promise<void>;
  /** Idempotent, and harmless without a start. */
  stop(): Promise<void>;
}

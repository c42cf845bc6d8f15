import type { EntryRegistry } from '../../runtime/entry.ts';
import { CallError, invalid, notFound, permissionDenied } from '../../runtime/errors.ts';
import { numberArgument, stringArgument, textArgument } from '../../runtime/lua/arguments.ts';
import type { HostMethod, HostResults, LuaClass, LuaModule, LuaThread } from '../../runtime/lua/engine.ts';
import { failed, resultsOf } from '../../runtime/lua/results.ts';
import { type HostValue, hostObject, type LuaValue } from '../../runtime/lua/values.ts';
import type { Allows } from '../security/port.ts';
import type { PutOutcome, StoredEntry } from './backend.ts';
import { listQuery, putOptions } from './options.ts';
import type { Store, Stores } from './port.ts';

/** What `store.get` gives: one call's hold on a store. */
export class StoreHandle {
  readonly [hostObject] = true as const;
  readonly store: Store;
  isReleased = false;
  /** Takes back the release at the end of the call. */
  forget: () => void = () => {};
  constructor(store: Store) {
    this.store = store;
  }
}

const KEY_NOT_FOUND = (): CallError => notFound('key not found');
const one = (value: HostValue): readonly HostValue[] => [value, undefined];
const entryTable = ({ key, value, version }: StoredEntry): HostValue => ({ key, value, version });

/** Whether this call may do `action` with the store. @throws CallError PermissionDenied. */
type Demand = (action: string, store: Store, thread: LuaThread, meta?: Readonly<Record<string, string>>) => void;
const demanding =
  (allows: Allows): Demand =>
  (action, store, { context }, meta) => {
    if (!allows(context, action, store.id, meta)) throw permissionDenied(`not allowed: ${action} on ${store.id}`);
  };

/** Both forms of one key (`k` and `:k`) are the same to policies, or the one would pass where the other is denied. */
const policyKey = (key: string): string => (key.length > 1 && key.lastIndexOf(':') === 0 ? key.slice(1) : key);

/** Every method but `release` begins like this; what it throws is returned as `nil, err`. */
const guarded =
  (method: HostMethod<StoreHandle>): HostMethod<StoreHandle> =>
  (self, thread, args) => {
    if (self.isReleased) return failed(invalid('store is released'));
    try {
      return method(self, thread, args);
    } catch (error) {
      return failed(error);
    }
  };
/** The first argument of most methods; other types than text and numbers raise. */
const keyOf = (args: readonly LuaValue[], name: string): string => {
  const key = stringArgument(args, 1, name);
  // Backends keep keys as text: two keys of other bytes would meet in one of U+FFFD.
  if (typeof key !== 'string') throw invalid('key must be valid UTF-8. Encode binary keys, as hex for example.');
  if (key === '') throw invalid('key is required');
  return key;
};
const writtenValue = (args: readonly LuaValue[]): LuaValue => {
  if (args[1] === undefined) throw invalid('value is required');
  return args[1];
};

/** The methods that read and write; each asks for its permission once its arguments are in order. */
const keyMethods = (demand: Demand): Readonly<Record<string, HostMethod<StoreHandle>>> => ({
  get({ store }, thread, args) {
    const key = keyOf(args, 'get');
    demand('store.key.get', store, thread, { key: policyKey(key) });
    return resultsOf(
      () => store.get(key, thread.context),
      (hit) => (hit === undefined ? failed(KEY_NOT_FOUND()) : one(hit.value)),
    );
  },
  entry({ store }, thread, args) {
    const key = keyOf(args, 'entry');
    demand('store.key.get', store, thread, { key: policyKey(key) });
    return resultsOf(
      () => store.get(key, thread.context),
      (hit) => (hit === undefined ? failed(KEY_NOT_FOUND()) : one(entryTable(hit))),
    );
  },
  has({ store }, thread, args) {
    const key = keyOf(args, 'has');
    demand('store.key.has', store, thread, { key: policyKey(key) });
    return resultsOf(() => store.has(key, thread.context), one);
  },
  delete({ store }, thread, args) {
    const key = keyOf(args, 'delete');
    demand('store.key.delete', store, thread, { key: policyKey(key) });
    return resultsOf(() => store.delete(key, thread.context), one);
  },
  set({ store }, thread, args) {
    const key = keyOf(args, 'set');
    const value = writtenValue(args);
    const ttl = args[2] === undefined ? undefined : numberArgument(args, 3, 'set');
    demand('store.key.set', store, thread, { key: policyKey(key) });
    return resultsOf(
      () => store.set(key, value, ttl, thread.context),
      () => one(true),
    );
  },
  list({ store }, thread, args) {
    const query = listQuery(args[0]);
    demand('store.key.list', store, thread, { prefix: query.prefix });
    return resultsOf(
      () => store.list(query, thread.context),
      ({ items, hasMore }) => one({ items: items.map(entryTable), cursor: items.at(-1)?.key ?? '', has_more: hasMore }),
    );
  },
  put({ store }, thread, args) {
    const key = keyOf(args, 'put');
    const value = writtenValue(args);
    const options = putOptions(args[2]);
    demand('store.key.set', store, thread, { key: policyKey(key) });
    if (!store.info.conditional_put && (options.onlyIfAbsent === true || options.ifVersion !== undefined)) {
      throw invalid('operation not supported by this store');
    }
    return resultsOf(() => store.put(key, value, options, thread.context), putResults);
  },
  info({ store }, thread) {
    demand('store.info', store, thread);
    return one({ id: store.id, ...store.info });
  },
});
const putResults = (outcome: PutOutcome): readonly HostValue[] => {
  switch (outcome.result) {
    case 'ok':
      return one(entryTable(outcome.entry));
    case 'exists':
      return failed(new CallError('key already exists', { kind: 'AlreadyExists', retryable: false }));
    case 'conflict':
      return failed(new CallError('version mismatch', { kind: 'Conflict', retryable: true }));
    case 'not_found':
      return failed(KEY_NOT_FOUND());
  }
};

const release: HostMethod<StoreHandle> = (self) => {
  if (!self.isReleased) {
    self.isReleased = true;
    self.forget();
  }
  return [true];
};

export const storeClass = (allows: Allows): LuaClass<StoreHandle> => {
  const methods = Object.entries(keyMethods(demanding(allows))).map(
    ([name, method]) => [name, guarded(method)] as const,
  );
  return {
    name: 'store.Store',
    constructor: StoreHandle,
    methods: { ...Object.fromEntries(methods), release },
    yields: ['get', 'set', 'has', 'delete', 'entry', 'list', 'put'],
    tostring: (self) => (self.isReleased ? 'store.Store{released}' : 'store.Store{}'),
  };
};

/** `store.get(id)`: a handle that lives until the call ends (lua/store.md, sections 1 and 7). */
const acquire = (stores: Stores, registry: EntryRegistry, thread: LuaThread, id: string): HostResults => {
  const store = stores.get(id);
  if (store === undefined) {
    const exists = registry.get(id) !== undefined;
    return failed(exists ? invalid(`resource is not a store: ${id}`) : notFound(`resource not found: ${id}`));
  }
  const handle = new StoreHandle(store);
  handle.forget = thread.run.defer(() => {
    handle.isReleased = true;
  });
  return [handle, undefined];
};

export const storeModule = (stores: Stores, registry: EntryRegistry, allows: Allows): LuaModule => ({
  name: 'store',
  functions: {
    get(thread, args) {
      const id = textArgument(args, 1, 'get');
      if (id === '') return failed(invalid('resource id is required'));
      // Before the store is looked for: a denial tells nothing of what there is.
      if (!allows(thread.context, 'store.get', id)) return failed(permissionDenied(`not allowed: store.get on ${id}`));
      return acquire(stores, registry, thread, id);
    },
  },
  constants: {
    backend: {
      MEMORY: 'memory',
      SQL: 'sql',
      REDIS: 'redis',
      KV_RAFT: 'kv.raft',
      KV_CRDT: 'kv.crdt',
      UNKNOWN: 'unknown',
    },
    consistency: { LINEARIZABLE: 'linearizable', EVENTUAL: 'eventual', LOCAL: 'local', UNKNOWN: 'unknown' },
  },
});

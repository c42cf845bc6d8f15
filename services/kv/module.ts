import type { EntryRegistry } from '../../runtime/entry.ts';
import { CallError, invalid, notFound } from '../../runtime/errors.ts';
import { numberArgument, stringArgument, textArgument } from '../../runtime/lua/arguments.ts';
import type { HostMethod, HostResults, LuaClass, LuaModule, LuaThread } from '../../runtime/lua/engine.ts';
import { failed, resultsOf } from '../../runtime/lua/results.ts';
import { type HostValue, hostObject, type LuaValue } from '../../runtime/lua/values.ts';
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

const get: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const key = keyOf(args, 'get');
  return resultsOf(
    () => store.get(key, context),
    (hit) => (hit === undefined ? failed(KEY_NOT_FOUND()) : one(hit.value)),
  );
};
const entry: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const key = keyOf(args, 'entry');
  return resultsOf(
    () => store.get(key, context),
    (hit) => (hit === undefined ? failed(KEY_NOT_FOUND()) : one(entryTable(hit))),
  );
};
const has: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const key = keyOf(args, 'has');
  return resultsOf(() => store.has(key, context), one);
};
const remove: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const key = keyOf(args, 'delete');
  return resultsOf(() => store.delete(key, context), one);
};
const set: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const key = keyOf(args, 'set');
  const value = writtenValue(args);
  const ttl = args[2] === undefined ? undefined : numberArgument(args, 3, 'set');
  return resultsOf(
    () => store.set(key, value, ttl, context),
    () => one(true),
  );
};
const list: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const query = listQuery(args[0]);
  return resultsOf(
    () => store.list(query, context),
    ({ items, hasMore }) => one({ items: items.map(entryTable), cursor: items.at(-1)?.key ?? '', has_more: hasMore }),
  );
};
const put: HostMethod<StoreHandle> = ({ store }, { context }, args) => {
  const key = keyOf(args, 'put');
  const value = writtenValue(args);
  const options = putOptions(args[2]);
  if (!store.info.conditional_put && (options.onlyIfAbsent === true || options.ifVersion !== undefined)) {
    throw invalid('operation not supported by this store');
  }
  return resultsOf(() => store.put(key, value, options, context), putResults);
};
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

export const storeClass: LuaClass<StoreHandle> = {
  name: 'store.Store',
  constructor: StoreHandle,
  methods: {
    get: guarded(get),
    set: guarded(set),
    has: guarded(has),
    delete: guarded(remove),
    entry: guarded(entry),
    list: guarded(list),
    put: guarded(put),
    info: guarded(({ store }) => one({ id: store.id, ...store.info })),
    release,
  },
  yields: ['get', 'set', 'has', 'delete', 'entry', 'list', 'put'],
  tostring: (self) => (self.isReleased ? 'store.Store{released}' : 'store.Store{}'),
};

/** `store.get(id)`: a handle that lives until the call ends (lua/store.md, sections 1 and 7). */
const acquire = (stores: Stores, registry: EntryRegistry, thread: LuaThread, id: string): HostResults => {
  if (id === '') return failed(invalid('resource id is required'));
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

export const storeModule = (stores: Stores, registry: EntryRegistry): LuaModule => ({
  name: 'store',
  functions: { get: (thread, args) => acquire(stores, registry, thread, textArgument(args, 1, 'get')) },
  constants: {
    backend: { MEMORY: 'memory', SQL: 'sql', KV_RAFT: 'kv.raft', KV_CRDT: 'kv.crdt', UNKNOWN: 'unknown' },
    consistency: { LINEARIZABLE: 'linearizable', EVENTUAL: 'eventual', LOCAL: 'local', UNKNOWN: 'unknown' },
  },
});

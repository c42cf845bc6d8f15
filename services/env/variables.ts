import { resolve } from 'node:path';
import type { EntryRegistry } from '../../runtime/entry.ts';
import { notFound, permissionDenied } from '../../runtime/errors.ts';
import { fileStorage } from './file-storage.ts';
import type { FileConfig, RouterConfig, StaticConfig, VariableConfig } from './kinds.ts';
import type { EnvVariables } from './port.ts';
import { type EnvStorage, memoryStorage, readOnlyStorage, routerStorage } from './storage.ts';

export interface EnvSources {
  readonly osVariables: Readonly<Record<string, string | undefined>>;
  /** Absolute path that `file_path` is relative to. */
  readonly root: string;
  /** Told of a storage that could not be listed; the others are listed all the same (lua/env.md). */
  readonly onUnlisted?: (storage: string, error: unknown) => void;
}

/** Every registered storage by id, in the order of ids. Files are not touched before they are asked for a value. */
const storagesOf = (
  registry: Pick<EntryRegistry, 'declared'>,
  sources: EnvSources,
): ReadonlyMap<string, EnvStorage> => {
  const storages = new Map<string, EnvStorage>();
  for (const { id } of registry.declared('env.storage.os')) storages.set(id, readOnlyStorage(sources.osVariables));
  for (const { id } of registry.declared('env.storage.memory')) storages.set(id, memoryStorage());
  for (const { id, config } of registry.declared<StaticConfig>('env.storage.static')) {
    storages.set(id, readOnlyStorage(config.values));
  }
  for (const { id, config } of registry.declared<FileConfig>('env.storage.file')) {
    const storage = fileStorage({
      path: resolve(sources.root, config.file_path),
      autoCreate: config.auto_create,
      fileMode: config.file_mode,
      dirMode: config.dir_mode,
    });
    storages.set(id, storage);
  }
  addRouters(
    storages,
    new Map(registry.declared<RouterConfig>('env.storage.router').map((one) => [one.id, one.config])),
  );
  return new Map([...storages].sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** Members first. A router within itself is refused when the declarations are checked; here it is left out. */
const addRouters = (storages: Map<string, EnvStorage>, routers: ReadonlyMap<string, RouterConfig>): void => {
  const begun = new Set<string>();
  const add = (id: string): EnvStorage | undefined => {
    const config = routers.get(id);
    if (storages.has(id) || config === undefined || begun.has(id)) return storages.get(id);
    begun.add(id);
    const members = config.storages.flatMap((member) => add(member) ?? []);
    const router = routerStorage(members);
    storages.set(id, router);
    return router;
  };
  for (const id of routers.keys()) add(id);
};

/**
 * The variables that a set of entries declares. Boot makes one before anything else is decoded, for placeholders, and
 * the surface makes the one that the app uses: both read the same storages.
 */
export const envVariables = (registry: Pick<EntryRegistry, 'declared'>, sources: EnvSources): EnvVariables => {
  const storages = storagesOf(registry, sources);
  const byId = new Map<string, VariableConfig>();
  const byName = new Map<string, string>();
  for (const { id, config } of registry.declared<VariableConfig>('env.variable')) {
    byId.set(id, config);
    if (config.variable !== '' && !byName.has(config.variable)) byName.set(config.variable, id);
  }
  const find = (name: string, namespace: string | undefined) => {
    const candidates = [byName.get(name), name, name.includes(':') ? undefined : `${namespace ?? ''}:${name}`];
    for (const id of candidates) {
      const config = id === undefined ? undefined : byId.get(id);
      if (config !== undefined && id !== undefined)
        return { config, key: config.variable === '' ? id : config.variable };
    }
    return undefined;
  };
  const found = (name: string, namespace: string | undefined) => {
    const variable = find(name, namespace);
    if (variable === undefined) throw notFound('environment variable not found');
    const storage = storages.get(variable.config.storage);
    if (storage === undefined) throw notFound('environment storage backend not found');
    return { ...variable, storage };
  };
  const get: EnvVariables['get'] = (name, namespace) => {
    const { config, key, storage } = found(name, namespace);
    const value = storage.get(key) || config.default;
    if (value === '') throw notFound('environment variable not found');
    return value;
  };
  return {
    get,
    set(name, value, namespace) {
      const { config, key, storage } = found(name, namespace);
      if (config.readonly) throw permissionDenied('environment variable is read-only');
      storage.set(key, value);
    },
    all() {
      const all = new Map<string, string>();
      for (const [id, storage] of storages) {
        try {
          // The storage with the lowest id counts where two have one name.
          for (const [key, value] of Object.entries(storage.all())) if (!all.has(key)) all.set(key, value);
        } catch (error) {
          sources.onUnlisted?.(id, error);
        }
      }
      return Object.fromEntries(all);
    },
    resolve(name, namespace) {
      const variable = find(name, namespace);
      const registered =
        variable === undefined
          ? undefined
          : storages.get(variable.config.storage)?.get(variable.key) || variable.config.default;
      return registered || sources.osVariables[name] || undefined;
    },
  };
};

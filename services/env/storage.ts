import { permissionDenied } from '../../runtime/errors.ts';

/** Where values of variables are kept. Nothing here yields: Lua reads variables without waiting. */
export interface EnvStorage {
  /** Undefined when it holds no such key. */
  get(key: string): string | undefined;
  /** @throws CallError PermissionDenied `storage is read-only`, or what the medium says. */
  set(key: string, value: string): void;
  all(): Readonly<Record<string, string>>;
}

const refuse = (): never => {
  throw permissionDenied('storage is read-only');
};

export const memoryStorage = (): EnvStorage => {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      values.set(key, value);
    },
    all: () => Object.fromEntries(values),
  };
};

/** Fixed texts: `env.storage.static`, and the program's environment for `env.storage.os`. */
export const readOnlyStorage = (values: Readonly<Record<string, string | undefined>>): EnvStorage => ({
  get: (key) => (Object.hasOwn(values, key) ? values[key] : undefined),
  set: refuse,
  all: () =>
    Object.fromEntries(Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined)),
});

/** Reads ask the members in order, the first that has the key answers; writes go to the first. A member that fails ends the search. */
export const routerStorage = (members: readonly EnvStorage[]): EnvStorage => ({
  get(key) {
    for (const member of members) {
      const value = member.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  },
  set(key, value) {
    const [first] = members;
    if (first === undefined) refuse();
    else first.set(key, value);
  },
  // Later spreads win, and the first member is the one that counts.
  all: () => Object.assign({}, ...members.map((member) => member.all()).reverse()),
});

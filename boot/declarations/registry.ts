import type { Declared, Entry, EntryRegistry } from '../../runtime/entry.ts';

/** The entries of an app: all of them, and the valid ones by kind. */
export const entryRegistry = (entries: Iterable<Entry>, declared: Iterable<Declared>): EntryRegistry => {
  const byId = new Map([...entries].sort(compareIds).map((entry) => [entry.id, entry]));
  const all = [...byId.values()];
  const byKind = new Map<string, Declared[]>();
  for (const one of [...declared].sort(compareIds)) {
    const list = byKind.get(one.entry.kind) ?? [];
    byKind.set(one.entry.kind, [...list, one]);
  }
  return {
    get: (id) => byId.get(id),
    all: () => all,
    // The kind's own schema made the configuration, so the caller that names the kind knows its type.
    declared: <T>(kind: string) => (byKind.get(kind) ?? []) as readonly Declared<T>[],
  };
};

const compareIds = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);

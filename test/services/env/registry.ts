import { z } from 'zod';
import type { Declared, Entry, EntryRegistry } from '../../../runtime/entry.ts';
import { envKinds } from '../../../services/env/kinds.ts';

/** A registry of `env.*` entries, decoded by their own schemas: id to kind and configuration. */
export const envRegistry = (
  entries: Readonly<Record<string, readonly [kind: string, config?: object]>>,
): EntryRegistry => {
  const declared = Object.entries(entries).map(([id, [kind, config = {}]]): Declared => {
    const [namespace = '', name = ''] = id.split(':');
    const entry: Entry = {
      id,
      namespace,
      name,
      kind,
      meta: {},
      data: { ...config },
      file: '_index.yaml',
      position: () => undefined,
      fileOf: () => undefined,
    };
    const schema = envKinds[`env.${kind}`]?.schema ?? z.never();
    return { id, entry: { ...entry, kind: `env.${kind}` }, config: schema.parse({ meta: {}, ...config }) };
  });
  declared.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    get: (id) => declared.find((one) => one.id === id)?.entry,
    all: () => declared.map(({ entry }) => entry),
    declared: <T>(kind: string) => declared.filter(({ entry }) => entry.kind === kind) as Declared<T>[],
  };
};

import type { Declared, EntryRegistry } from '../../runtime/entry.ts';
import { resolveId } from '../../runtime/entry.ts';
import type { OtherTargets } from '../function/port.ts';
import type { ProcessConfig } from './kinds.ts';
import type { Processes } from './port.ts';

/** The host that an entry's calls run on: `meta.default_host`, or `meta.options.default_host`. */
export const defaultHost = ({ entry, config }: Declared<ProcessConfig>): string | undefined => {
  const named = config.meta.default_host ?? config.meta.options.default_host;
  return typeof named === 'string' && named !== '' ? resolveId(named, entry.namespace) : undefined;
};

/** Processes with a default host, as functions: each call is a process of its own (processes-declarations.md, section 6). */
export const callableProcesses = (registry: EntryRegistry, processes: Processes): OtherTargets => {
  const hosts = new Map<string, string>();
  for (const declared of registry.declared<ProcessConfig>('process.lua')) {
    const host = defaultHost(declared);
    if (host !== undefined) hosts.set(declared.id, host);
  }
  return {
    has: (id) => hosts.has(id),
    async call(id, args, context) {
      const value = await processes.exec({ id, host: hosts.get(id) ?? '', args, context });
      return { value, count: 1 };
    },
  };
};

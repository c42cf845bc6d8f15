import type { EntryRegistry } from '../../runtime/entry.ts';
import type { OtherTargets } from '../function/port.ts';
import type { ProcessConfig } from './kinds.ts';
import { defaultHost, type Processes } from './port.ts';

/** Processes with a default host, as functions: each call is a process of its own (processes-declarations.md, section 6). */
export const callableProcesses = (registry: EntryRegistry, processes: Processes): OtherTargets => {
  const hosts = new Map<string, string>();
  for (const declared of registry.declared<ProcessConfig>('process.lua')) {
    const host = defaultHost(declared.entry);
    if (host !== undefined) hosts.set(declared.id, host);
  }
  return {
    has: (id) => hosts.has(id),
    async call(id, args, context) {
      const value = await processes.exec({
        id,
        host: hosts.get(id) ?? '',
        args,
        context,
        // It serves this one call, and so has what is private to it: an HTTP exchange, a delivery.
        own: (inherited) => context.withSignal(inherited.signal),
      });
      return { value, count: 1 };
    },
  };
};

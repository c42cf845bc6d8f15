import { CallError, internal, invalid, notFound } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction } from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import { isLuaString, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import type { Actor } from './actor.ts';
import type { ActorTable } from './actor-table.ts';
import type { Permit } from './permission.ts';
import { parsePid } from './pid.ts';

export const SCOPES = { LOCAL: 0, EVENTUAL: 1, CONSISTENT: 2, STRONG: 3 } as const;

/** Names reach as far as this node: there is no cluster (lua/process.md, section 6). @throws CallError */
const checkScope = (scope: LuaValue): void => {
  if (scope === undefined || scope === SCOPES.LOCAL) return;
  if (typeof scope !== 'number') throw invalid('scope must be a number');
  if (scope === SCOPES.EVENTUAL) throw internal('eventual registry not available');
  if (scope === SCOPES.CONSISTENT || scope === SCOPES.STRONG) throw internal('global registry not available');
  throw invalid(`unknown scope: ${scope}`);
};

/** Functions of `process.registry`. */
export const nameFunctions = (table: ActorTable, permit: Permit): Readonly<Record<string, HostFunction>> => {
  const holderOf = (value: LuaValue, caller: Actor): Actor => {
    if (value === undefined) return caller;
    if (!isLuaString(value) || parsePid(textOf(value)) === undefined) throw invalid('pid is not a process id');
    const actor = table.find(textOf(value));
    if (actor === undefined) throw notFound(`process not found: ${textOf(value)}`);
    return actor;
  };
  return {
    register: (thread, args) => {
      const name = textArgument(args, 1, 'register');
      return resultsOf(
        () => {
          if (name === '') throw invalid('name is required');
          checkScope(args[2]);
          permit(thread, 'process.registry.register', name);
          const caller = table.of(thread);
          const holder = holderOf(args[1], caller);
          if (holder !== caller) permit(thread, 'process.registry.foreign', holder.pid);
          table.register(name, holder);
        },
        () => [true, undefined],
      );
    },
    lookup: (_thread, args) => {
      const actor = table.lookup(textArgument(args, 1, 'lookup'));
      return actor === undefined ? [undefined, notFound('name not registered')] : [actor.pid, undefined];
    },
    unregister: (thread, args) => {
      const name = textArgument(args, 1, 'unregister');
      try {
        checkScope(args[1]);
        permit(thread, 'process.registry.unregister', name);
      } catch (error) {
        if (error instanceof CallError) return [false, error];
        throw error;
      }
      return [table.unregister(name)];
    },
  };
};

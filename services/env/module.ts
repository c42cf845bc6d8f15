import { CallError, invalid, permissionDenied } from '../../runtime/errors.ts';
import { stringArgument, textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaModule, LuaThread } from '../../runtime/lua/engine.ts';
import { type LuaValue, textOf } from '../../runtime/lua/values.ts';
import type { Allows } from '../security/port.ts';
import type { EnvVariables } from './port.ts';

const namespaceOf = (id: string): string => id.slice(0, Math.max(id.indexOf(':'), 0));
const callerOf = (thread: LuaThread): string => namespaceOf(thread.programId());

/** What the specification returns as `nil, err`; everything else is a fault of ours and rises. */
const returning =
  (body: (thread: LuaThread, args: readonly LuaValue[]) => LuaValue | Record<string, string>): HostFunction =>
  (thread, args) => {
    try {
      return [body(thread, args), undefined];
    } catch (error) {
      if (error instanceof CallError) return [undefined, error];
      throw error;
    }
  };

/** The Lua module `env` (lua/env.md). */
export const envModule = (variables: EnvVariables, allows: Allows): LuaModule => ({
  name: 'env',
  functions: {
    get: returning((thread, args) => {
      const name = textArgument(args, 1, 'get');
      if (name === '') throw invalid('empty key');
      if (!allows(thread.context, 'env.get', name)) {
        throw permissionDenied(`not allowed to access environment variable: ${name}`);
      }
      return variables.get(name, callerOf(thread));
    }),
    set: returning((thread, args) => {
      const name = textArgument(args, 1, 'set');
      if (name === '') throw invalid('empty key');
      const value = textOf(stringArgument(args, 2, 'set'));
      if (!allows(thread.context, 'env.set', name)) {
        throw permissionDenied(`not allowed to set environment variable: ${name}`);
      }
      variables.set(name, value, callerOf(thread));
      return true;
    }),
    get_all: returning((thread) =>
      Object.fromEntries(Object.entries(variables.all()).filter(([name]) => allows(thread.context, 'env.get', name))),
    ),
  },
});

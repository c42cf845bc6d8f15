import { permissionDenied } from '../../runtime/errors.ts';
import type { LuaThread } from '../../runtime/lua/engine.ts';
import { LuaTable } from '../../runtime/lua/values.ts';
import { ACTOR, SCOPE, type Security } from '../security/port.ts';

/** Whether the caller may; `as` is how the refusal names what was asked. @throws CallError PermissionDenied */
export type Permit = (thread: LuaThread, action: string, resource: string, as?: string) => void;

/** Checks of the module `process` (lua/process.md, section 7): conditions see the caller's pid as `meta.pid`. */
export const permissions = (security: () => Security | undefined, isStrict: boolean): Permit => {
  const metaOf = (thread: LuaThread): LuaTable => new LuaTable(new Map([['pid', thread.run.pid]]));
  return (thread, action, resource, as = resource) => {
    const { context } = thread;
    // The usual case costs two look-ups: nobody acts under a policy.
    if (!isStrict && (context.get(ACTOR) === undefined || context.get(SCOPE) === undefined)) return;
    if (security()?.allows(context, action, resource, metaOf(thread)) !== false) return;
    throw permissionDenied(`not allowed to ${action.replace(/^process\./, '')}: ${as}`);
  };
};

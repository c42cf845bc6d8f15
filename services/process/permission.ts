import { permissionDenied } from '../../runtime/errors.ts';
import type { LuaThread } from '../../runtime/lua/engine.ts';
import { isGuarded, operationGuard } from '../security/port.ts';

/** Whether the caller may; `as` is how the refusal names what was asked. @throws CallError PermissionDenied */
export type Permit = (thread: LuaThread, action: string, resource: string, as?: string) => void;

/** Checks of the module `process` (lua/process.md, section 7): conditions see the caller's pid as `meta.pid`. */
export const permissions = (settings: { readonly strictSecurity: boolean }): Permit => {
  const allows = operationGuard(settings);
  return (thread, action, resource, as = resource) => {
    const { context, run } = thread;
    // The usual case costs a few look-ups: nobody acts under a policy.
    const meta = isGuarded(context) ? { pid: run.pid } : undefined;
    if (meta === undefined && !settings.strictSecurity) return;
    if (allows(context, action, resource, meta)) return;
    throw permissionDenied(`not allowed to ${action.replace(/^process\./, '')}: ${as}`);
  };
};

import { type CallContext, rootContext } from '../../../runtime/context.ts';
import { LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { ACTOR, SCOPE } from '../../../services/security/port.ts';

export interface GuardedContext {
  readonly context: CallContext;
  /** What was asked for, in order: `action resource`, with the attributes behind it where there are any. */
  readonly checks: string[];
}

/** The actor `ann` in a scope that allows what `allowed` says, and writes down what it is asked. */
export const guardedContext = (allowed: (action: string, resource: string) => boolean): GuardedContext => {
  const checks: string[] = [];
  const shown = (meta: Readonly<Record<string, LuaValue>>): string =>
    Object.entries(meta)
      .map(([key, value]) => ` ${key}=${value}`)
      .join('');
  const context = rootContext.with(ACTOR, { id: 'ann', meta: new LuaTable() }).with(SCOPE, {
    evaluate(_actor, action, resource, meta) {
      checks.push(`${action} ${resource}${meta === undefined || meta instanceof LuaTable ? '' : shown(meta)}`);
      return allowed(action, resource) ? 'allow' : 'undefined';
    },
  });
  return { context, checks };
};

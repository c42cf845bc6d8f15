import { type CallContext, contextKey } from '../../runtime/context.ts';
import { type PortKey, portKey } from '../../runtime/env.ts';
import type { Lifecycle } from '../../runtime/lifecycle-schema.ts';
import type { LuaTable } from '../../runtime/lua/values.ts';

/** Who acts (lua/security.md). To Lua it is a host object with `id()` and `meta()`. */
export interface Actor {
  readonly id: string;
  readonly meta: LuaTable;
}

/** An immutable set of policies. To Lua it is a host object. */
export interface Scope {
  evaluate(actor: Actor, action: string, resource: string, meta?: LuaTable): 'allow' | 'deny' | 'undefined';
}

/** Both are inherited by everything that a call starts (lua/common.md, section 10). */
export const ACTOR = contextKey<Actor | undefined>('security.actor', undefined);
export const SCOPE = contextKey<Scope | undefined>('security.scope', undefined);

export interface Security {
  /**
   * Whether the context may do `action` on `resource`: with actor and scope only on an explicit allow; with either
   * missing always, unless `security.strict_mode` is on. `meta` is what conditions read as `meta.<k>`.
   */
  allows(context: CallContext, action: string, resource: string, meta?: LuaTable): boolean;
  isActor(value: unknown): value is Actor;
  isScope(value: unknown): value is Scope;
  /** The context of a service with its `lifecycle.security`. @throws CallError where a policy or group does not exist. */
  serviceContext(security: Lifecycle['security']): CallContext;
}
export const SECURITY: PortKey<Security> = portKey('security');

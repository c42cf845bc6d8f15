import { type CallContext, contextKey, rootContext } from '../../runtime/context.ts';
import { type Env, type PortKey, portKey } from '../../runtime/env.ts';
import type { Lifecycle } from '../../runtime/lifecycle-schema.ts';
import type { LuaTable, LuaValue } from '../../runtime/lua/values.ts';

/** Who acts (lua/security.md). To Lua it is a host object with `id()` and `meta()`. */
export interface Actor {
  readonly id: string;
  readonly meta: LuaTable;
}

/** What conditions read as `meta.<k>`: a plain object where the host asks (`{ key }`), a table where Lua does. */
export type CheckMeta = LuaTable | Readonly<Record<string, LuaValue>>;
export type Verdict = 'allow' | 'deny' | 'undefined';

/** An immutable set of policies. To Lua it is a host object. */
export interface Scope {
  evaluate(actor: Actor, action: string, resource: string, meta?: CheckMeta): Verdict;
}

/** Both are inherited by everything that a call starts (lua/common.md, section 10). */
export const ACTOR = contextKey<Actor | undefined>('security.actor', undefined);
export const SCOPE = contextKey<Scope | undefined>('security.scope', undefined);

/**
 * Whether the context may do `action` on `resource`: with actor and scope only on an explicit allow; with either
 * missing always, unless `security.strict_mode` is on.
 */
export type Allows = (context: CallContext, action: string, resource: string, meta?: CheckMeta) => boolean;

/**
 * The guard of host operations. It needs nothing but the setting, so that every surface makes its own while it is built:
 * a check costs two reads of the context where there is no actor.
 */
export const operationGuard =
  (settings: { readonly strictSecurity: boolean }): Allows =>
  (context, action, resource, meta) => {
    const actor = context.get(ACTOR);
    const scope = context.get(SCOPE);
    if (actor === undefined || scope === undefined) return !settings.strictSecurity;
    return scope.evaluate(actor, action, resource, meta) === 'allow';
  };

/** Whether policies decide, so that a denial is possible without strict mode. */
export const isGuarded = (context: CallContext): boolean =>
  context.get(ACTOR) !== undefined && context.get(SCOPE) !== undefined;

export interface Security {
  /** As `operationGuard` says. */
  readonly allows: Allows;
  isActor(value: unknown): value is Actor;
  isScope(value: unknown): value is Scope;
  /**
   * Where the calls of a service begin: the empty context with the actor and the scope of its `lifecycle.security`.
   * Neither groups nor policies given: no scope; an empty list: a scope that allows nothing.
   * @throws CallError NotFound where a policy or group does not exist.
   */
  serviceContext(security: Lifecycle['security']): CallContext;
}
export const SECURITY: PortKey<Security> = portKey('security');

/** The same for a service's start; asks for the port only where there is something to ask. @throws CallError as above. */
export const serviceContextOf = ({ use }: Pick<Env, 'use'>, { security }: Pick<Lifecycle, 'security'>): CallContext =>
  security === undefined ? rootContext : use(SECURITY).serviceContext(security);

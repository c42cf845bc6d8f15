import { luaValueOf } from '../../runtime/codec/host-data.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { EntryRegistry } from '../../runtime/entry.ts';
import { notFound } from '../../runtime/errors.ts';
import type { Lifecycle } from '../../runtime/lifecycle-schema.ts';
import { type HostValue, LuaTable } from '../../runtime/lua/values.ts';
import type { SurfaceProblem } from '../../runtime/surface.ts';
import { SecurityActor } from './actor.ts';
import type { Policies } from './policies.ts';
import { ACTOR, SCOPE } from './port.ts';
import { PolicyScope } from './scope.ts';

/** The context that a service's `lifecycle.security` describes. @throws CallError NotFound for an unknown policy or group. */
export const serviceContext = (policies: Policies, security: Lifecycle['security']): CallContext => {
  if (security === undefined) return rootContext;
  let context = rootContext;
  const { actor, groups, policies: listed } = security;
  if (actor !== undefined) {
    const meta = luaValueOf(actor.meta as HostValue);
    context = context.with(ACTOR, new SecurityActor(actor.id, meta instanceof LuaTable ? meta : new LuaTable()));
  }
  if (groups === undefined && listed === undefined) return context;
  const members = [
    ...(groups ?? []).flatMap((id) => found(policies.group(id), `group of policies not found: ${id}`)),
    ...(listed ?? []).map((id) => found(policies.policy(id), `policy not found: ${id}`)),
  ];
  return context.with(SCOPE, new PolicyScope(members));
};

const found = <T>(value: T | undefined, message: string): T => {
  if (value === undefined) throw notFound(message);
  return value;
};

/** Services whose `lifecycle.security.groups` name a group that no policy mentions. */
export const unknownGroups = (registry: EntryRegistry, policies: Policies): readonly SurfaceProblem[] => {
  const kinds = new Set(registry.all().map(({ kind }) => kind));
  const services = [...kinds].flatMap((kind) => registry.declared<{ lifecycle?: Partial<Lifecycle> }>(kind));
  return services.flatMap(({ id, config }) =>
    (config.lifecycle?.security?.groups ?? []).flatMap((group, i): SurfaceProblem[] => {
      if (policies.group(group) !== undefined) return [];
      const message = `no policy mentions the group ${group}. Name it in the groups of a security.policy, or remove it here.`;
      return [{ id, path: `lifecycle.security.groups[${i}]`, message }];
    }),
  );
};

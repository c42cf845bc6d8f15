import type { CallContext } from '../../runtime/context.ts';
import { internal, invalid } from '../../runtime/errors.ts';
import { badArgument, optionalTable, textArgument } from '../../runtime/lua/arguments.ts';
import { crossing } from '../../runtime/lua/crossing.ts';
import {
  type HostFunction,
  type HostMethod,
  type LuaClass,
  type LuaModule,
  LuaRaise,
} from '../../runtime/lua/engine.ts';
import { failed } from '../../runtime/lua/results.ts';
import { type HostValue, isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { SecurityActor } from './actor.ts';
import type { Policies } from './policies.ts';
import { SecurityPolicy } from './policy.ts';
import { ACTOR, type Allows, type CheckMeta, SCOPE, type Verdict } from './port.ts';
import { PolicyScope } from './scope.ts';

/** `(actor, action, resource [, meta])` of `evaluate`. */
const evaluated = (
  rule: { evaluate(actor: SecurityActor, action: string, resource: string, meta?: CheckMeta): Verdict },
  args: readonly LuaValue[],
): readonly HostValue[] => {
  const [actor] = args;
  if (!(actor instanceof SecurityActor)) throw badArgument(1, 'evaluate', 'security.Actor', actor);
  const [action, resource] = [textArgument(args, 2, 'evaluate'), textArgument(args, 3, 'evaluate')];
  return [rule.evaluate(actor, action, resource, optionalTable(args, 4, 'evaluate'))];
};

/** An id, a policy, or `{ns=, name=}`. */
const policyId = (args: readonly LuaValue[], name: string): string => {
  const [value] = args;
  if (value instanceof SecurityPolicy) return value.id;
  if (!(value instanceof LuaTable)) return textArgument(args, 1, name);
  const [ns, own] = [value.get('ns'), value.get('name')];
  if (!isLuaString(ns) || !isLuaString(own)) throw new LuaRaise(`bad argument #1 to '${name}' ({ns=, name=} expected)`);
  return `${textOf(ns)}:${textOf(own)}`;
};

/** What builds actors and scopes raises where it is denied (lua/security.md, section 2). */
const demanding =
  (allows: Allows) =>
  (context: CallContext, action: string, resource: string): void => {
    if (!allows(context, action, resource)) throw new LuaRaise(`not allowed: ${action} on ${resource}`);
  };

export const policyClass: LuaClass<SecurityPolicy> = {
  name: 'security.Policy',
  constructor: SecurityPolicy,
  methods: { id: (self) => [self.id], evaluate: (self, _thread, args) => evaluated(self, args) },
  tostring: (self) => `security.Policy{id=${self.id}}`,
};

export const scopeClass = (allows: Allows): LuaClass<PolicyScope> => {
  const demand = demanding(allows);
  const withPolicy: HostMethod<PolicyScope> = (self, { context }, args) => {
    const [policy] = args;
    if (!(policy instanceof SecurityPolicy)) throw badArgument(1, 'with', 'security.Policy', policy);
    demand(context, 'security.scope.create', 'with');
    return [self.with(policy)];
  };
  const without: HostMethod<PolicyScope> = (self, { context }, args) => {
    const id = policyId(args, 'without');
    demand(context, 'security.scope.create', 'without');
    return [self.without(id)];
  };
  return {
    name: 'security.Scope',
    constructor: PolicyScope,
    methods: {
      with: withPolicy,
      without,
      contains: (self, _thread, args) => [self.has(policyId(args, 'contains'))],
      policies: (self) => [self.policies],
      evaluate: (self, _thread, args) => evaluated(self, args),
    },
  };
};

/** Elements that are no policies are skipped; holes too. */
const policiesIn = (list: LuaTable | undefined): readonly SecurityPolicy[] =>
  [...(list?.map ?? [])]
    .filter(([key]) => typeof key === 'number')
    .sort(([a], [b]) => (a as number) - (b as number))
    .flatMap(([, value]) => (value instanceof SecurityPolicy ? [value] : []));

/** The Lua module `security` (lua/security.md, section 2). */
export const securityModule = (policies: Policies, allows: Allows): LuaModule => {
  const demand = demanding(allows);
  const can: HostFunction = ({ context }, args) => {
    const [action, resource] = [textArgument(args, 1, 'can'), textArgument(args, 2, 'can')];
    const meta = optionalTable(args, 3, 'can');
    const [actor, scope] = [context.get(ACTOR), context.get(SCOPE)];
    if (actor === undefined || scope === undefined) return [false];
    return [scope.evaluate(actor, action, resource, meta) === 'allow'];
  };
  const policy: HostFunction = ({ context }, args) => {
    const id = textArgument(args, 1, 'policy');
    if (!allows(context, 'security.policy.get', id)) return failed(invalid(`not allowed to get policy: ${id}`));
    const found = policies.policy(id);
    return found === undefined ? failed(internal(`policy not found: ${id}`)) : [found, undefined];
  };
  const namedScope: HostFunction = ({ context }, args) => {
    const id = textArgument(args, 1, 'named_scope');
    if (!allows(context, 'security.policy_group.get', id)) {
      return failed(invalid(`not allowed to get policy group: ${id}`));
    }
    const found = policies.group(id);
    return found === undefined
      ? failed(internal(`policy group not found: ${id}`))
      : [new PolicyScope(found), undefined];
  };
  const newScope: HostFunction = ({ context }, args) => {
    const list = optionalTable(args, 1, 'new_scope');
    demand(context, 'security.scope.create', 'custom');
    return [new PolicyScope(policiesIn(list))];
  };
  const newActor: HostFunction = ({ context }, args) => {
    const id = textArgument(args, 1, 'new_actor');
    const meta = optionalTable(args, 2, 'new_actor');
    demand(context, 'security.actor.create', id);
    return [new SecurityActor(id, (crossing(meta) as LuaTable | undefined) ?? new LuaTable())];
  };
  return {
    name: 'security',
    functions: {
      actor: ({ context }) => [context.get(ACTOR) as SecurityActor | undefined],
      scope: ({ context }) => [context.get(SCOPE) as PolicyScope | undefined],
      can,
      policy,
      named_scope: namedScope,
      new_scope: newScope,
      new_actor: newActor,
      token_store: (_thread, args) => {
        const id = textArgument(args, 1, 'token_store');
        return failed(internal(`token stores are not available in this version: ${id}`));
      },
    },
  };
};

import { entryKind, type Surface } from '../../runtime/surface.ts';
import { actorClass, SecurityActor } from './actor.ts';
import { policyClass, scopeClass, securityModule } from './module.ts';
import { declaredPolicies, POLICY } from './policies.ts';
import { patternWarnings } from './policy.ts';
import { policySchema } from './policy-schema.ts';
import { operationGuard, SECURITY } from './port.ts';
import { PolicyScope } from './scope.ts';
import { serviceContext, unknownGroups } from './service-context.ts';

/** Actors, scopes and policies: entry kind `security.policy`, the port SECURITY, the Lua module `security`. Always on. */
export const securitySurface: Surface = {
  kinds: { [POLICY]: entryKind({ schema: policySchema, check: ({ config }) => patternWarnings(config) }) },
  modules: ['security'],
  check: (registry) => unknownGroups(registry, declaredPolicies(registry)),
  build(env) {
    const policies = declaredPolicies(env.registry);
    const allows = operationGuard(env.settings);
    env.provide(SECURITY, {
      allows,
      isActor: (value) => value instanceof SecurityActor,
      isScope: (value) => value instanceof PolicyScope,
      serviceContext: (security) => serviceContext(policies, security),
    });
    env.engine.defineClass(actorClass);
    env.engine.defineClass(policyClass);
    env.engine.defineClass(scopeClass(allows));
    env.engine.define(securityModule(policies, allows));
    return [];
  },
};

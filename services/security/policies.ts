import type { EntryRegistry } from '../../runtime/entry.ts';
import { groupsOf, SecurityPolicy } from './policy.ts';
import type { PolicyConfig } from './policy-schema.ts';

export const POLICY = 'security.policy';

/** The policies that an app declares, and the groups that they mention. Ids and group names in full. */
export interface Policies {
  policy(id: string): SecurityPolicy | undefined;
  /** Ordered by id; undefined for a group that no policy mentions. */
  group(id: string): readonly SecurityPolicy[] | undefined;
}

export const declaredPolicies = (registry: EntryRegistry): Policies => {
  const policies = new Map<string, SecurityPolicy>();
  const groups = new Map<string, SecurityPolicy[]>();
  for (const declared of registry.declared<PolicyConfig>(POLICY)) {
    const policy = new SecurityPolicy(declared.id, declared.config.policy);
    policies.set(policy.id, policy);
    for (const name of new Set(groupsOf(declared))) {
      const members = groups.get(name);
      if (members === undefined) groups.set(name, [policy]);
      else members.push(policy);
    }
  }
  return { policy: (id) => policies.get(id), group: (id) => groups.get(id) };
};

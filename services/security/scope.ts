import { hostObject } from '../../runtime/lua/values.ts';
import type { SecurityPolicy } from './policy.ts';
import type { Actor, CheckMeta, Scope, Verdict } from './port.ts';

/** Policies in the order in which they were added, each id once. */
export class PolicyScope implements Scope {
  readonly [hostObject] = true as const;
  readonly #policies: ReadonlyMap<string, SecurityPolicy>;

  constructor(policies: Iterable<SecurityPolicy> = []) {
    this.#policies = new Map([...policies].map((policy) => [policy.id, policy]));
  }

  get policies(): readonly SecurityPolicy[] {
    return [...this.#policies.values()];
  }

  has(id: string): boolean {
    return this.#policies.has(id);
  }

  with(policy: SecurityPolicy): PolicyScope {
    return new PolicyScope([...this.policies, policy]);
  }

  without(id: string): PolicyScope {
    return new PolicyScope(this.policies.filter((policy) => policy.id !== id));
  }

  /** One that denies decides; else one that allows. */
  evaluate(actor: Actor, action: string, resource: string, meta?: CheckMeta): Verdict {
    let verdict: Verdict = 'undefined';
    for (const policy of this.#policies.values()) {
      const one = policy.evaluate(actor, action, resource, meta);
      if (one === 'deny') return 'deny';
      if (one === 'allow') verdict = 'allow';
    }
    return verdict;
  }
}

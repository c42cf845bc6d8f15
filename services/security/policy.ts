import type { Declared, EntryProblem } from '../../runtime/entry.ts';
import { resolveId } from '../../runtime/entry.ts';
import { hostObject } from '../../runtime/lua/values.ts';
import { type Condition, conditionOf } from './conditions.ts';
import type { PolicyConfig } from './policy-schema.ts';
import type { Actor, CheckMeta, Verdict } from './port.ts';

type TextTest = (text: string) => boolean;

/** `*`, `prefix*`, `prefix.*` (also `prefix` itself); anything else is compared as it is. */
const patternOf = (pattern: string): TextTest => {
  if (pattern === '*') return () => true;
  if (!pattern.endsWith('*')) return (text) => text === pattern;
  const prefix = pattern.slice(0, -1);
  if (!prefix.endsWith('.')) return (text) => text.startsWith(prefix);
  const itself = prefix.slice(0, -1);
  return (text) => text === itself || text.startsWith(prefix);
};

const anyOf = (patterns: readonly string[]): TextTest => {
  const tests = patterns.map(patternOf);
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (text) => tests.some((fits) => fits(text));
};

/** One rule: `effect` where action, resource and all conditions fit. */
export class SecurityPolicy {
  readonly [hostObject] = true as const;
  readonly id: string;
  readonly #fitsAction: TextTest;
  readonly #fitsResource: TextTest;
  readonly #conditions: readonly Condition[];
  readonly #effect: 'allow' | 'deny';

  constructor(id: string, { actions, resources, conditions, effect }: PolicyConfig['policy']) {
    this.id = id;
    this.#fitsAction = anyOf(actions);
    this.#fitsResource = anyOf(resources);
    this.#conditions = conditions.map(conditionOf);
    this.#effect = effect;
  }

  /** A condition that cannot be told is taken against the actor: it holds where the policy denies. */
  evaluate(actor: Actor, action: string, resource: string, meta?: CheckMeta): Verdict {
    if (!this.#fitsAction(action) || !this.#fitsResource(resource)) return 'undefined';
    if (this.#conditions.length === 0) return this.#effect;
    const check = { actor, action, resource, meta };
    const holds = this.#conditions.every((condition) => condition(check) ?? this.#effect === 'deny');
    return holds ? this.#effect : 'undefined';
  }
}

/** The groups of a policy, in full. */
export const groupsOf = ({ entry, config }: Declared<PolicyConfig>): readonly string[] =>
  config.groups.map((group) => resolveId(group, entry.namespace));

/** Patterns that look like more than they are: a `*` that is not at the end is compared as it is. */
export const patternWarnings = ({ policy }: PolicyConfig): readonly EntryProblem[] =>
  (['actions', 'resources'] as const).flatMap((key) =>
    policy[key].flatMap((pattern): EntryProblem[] => {
      if (!pattern.slice(0, -1).includes('*')) return [];
      const message = `'${pattern}' is compared as it is: only a '*' at the end stands for other characters`;
      return [{ path: `policy.${key}`, message, severity: 'warning' }];
    }),
  );

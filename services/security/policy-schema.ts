import { z } from 'zod';
import { messageOf } from '../../runtime/errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { regularExpression } from '../../runtime/regular-expression/matcher.ts';
import { required } from '../../runtime/schema-fields.ts';
import { type DeclaredCondition, OPERATORS, type Operator, readerOf } from './conditions.ts';

/** A pattern or a list of them. The empty text is a resource (of `queue.publish` and the like), but never an action. */
const patterns = (key: 'actions' | 'resources') => {
  const message = `policy.${key} must be a pattern or a non-empty list of patterns, such as ["app:*"]`;
  return z.unknown().transform((value, ctx): readonly string[] => {
    const list = typeof value === 'string' && value !== '' ? [value] : value;
    const isList = Array.isArray(list) && list.length > 0;
    if (isList && list.every((one) => typeof one === 'string' && (one !== '' || key === 'resources'))) return list;
    ctx.issues.push({ code: 'custom', message, input: value });
    return z.NEVER;
  });
};

const PATHS = 'actor.id, actor.meta.<k>, meta.<k>, action, resource';
const path = (key: 'field' | 'value_from') =>
  required(`${key} is required: one of ${PATHS}`).refine((text) => text === '' || readerOf(text) !== undefined, {
    error: (issue) => `'${String(issue.input)}' names nothing that a condition can read. Use one of ${PATHS}`,
  });

const isOperator = (text: string): text is Operator => (OPERATORS as readonly string[]).includes(text);
const operator = z
  .string({ error: `operator is required: one of ${OPERATORS.join(', ')}` })
  .refine(isOperator, {
    error: (issue) =>
      `unknown operator '${String(issue.input)}'. Use one of ${OPERATORS.join(', ')}.${didYouMean(String(issue.input), OPERATORS)}`,
  })
  .transform((text) => text as Operator);

/** What a constant must be for its operator to hold for anything; undefined: nothing is wrong. */
const valueFault = ({ operator: name, value }: DeclaredCondition): string | undefined => {
  switch (name) {
    case 'exists':
    case 'nexists':
      return typeof value === 'boolean' ? undefined : `${name} compares with true or false`;
    case 'in':
    case 'nin':
      return Array.isArray(value) ? undefined : `${name} compares with a list`;
    case 'lt':
    case 'gt':
    case 'lte':
    case 'gte':
      return typeof value === 'number' || typeof value === 'string' ? undefined : `${name} compares numbers or texts`;
    case 'matches':
    case 'nmatches':
      return typeof value === 'string' ? patternFault(value) : `${name} compares with a regular expression`;
    default:
      return undefined;
  }
};

const patternFault = (pattern: string): string | undefined => {
  try {
    regularExpression(pattern);
    return undefined;
  } catch (error) {
    return `'${pattern}' is no regular expression (RE2): ${messageOf(error)}`;
  }
};

const condition = z
  .object({ field: path('field'), operator, value: z.unknown().optional(), value_from: path('value_from').optional() })
  .superRefine((one, ctx) => {
    const { value, value_from: from } = one;
    const hasValue = value !== undefined && value !== null;
    if (!hasValue && from === undefined) {
      ctx.addIssue({ code: 'custom', message: 'value is required: give value or value_from' });
    } else if (hasValue && from !== undefined) {
      ctx.addIssue({ code: 'custom', message: 'value and value_from exclude each other. Remove one of them' });
    } else if (hasValue) {
      const message = valueFault(one);
      if (message !== undefined) ctx.addIssue({ code: 'custom', path: ['value'], message });
    }
  });

/** `security.policy` (lua/security.md, section 3). */
export const policySchema = z.object({
  policy: z.object(
    {
      actions: patterns('actions'),
      resources: patterns('resources'),
      effect: z.enum(['allow', 'deny'], { error: 'policy.effect must be allow or deny' }),
      conditions: z.array(condition).default([]),
    },
    { error: 'policy is required: a map with actions, resources and effect' },
  ),
  groups: z.array(z.string().min(1, { error: 'the name of a group cannot be empty' })).default([]),
});
export type PolicyConfig = z.output<typeof policySchema>;

import { luaValueOf } from '../../runtime/codec/host-data.ts';
import { type HostValue, LuaTable, type LuaValue } from '../../runtime/lua/values.ts';
import { type Matcher, regularExpression } from '../../runtime/regular-expression/matcher.ts';
import { PatternError } from '../../runtime/regular-expression/syntax.ts';
import type { Actor, CheckMeta } from './port.ts';

/** What a policy is asked. */
export interface Check {
  readonly actor: Actor;
  readonly action: string;
  readonly resource: string;
  readonly meta: CheckMeta | undefined;
}

/** Undefined: it cannot be told (a text too long to search). */
export type Condition = (check: Check) => boolean | undefined;
/** One condition as it is declared and checked. */
export interface DeclaredCondition {
  readonly field: string;
  readonly operator: Operator;
  readonly value?: unknown;
  readonly value_from?: string;
}

type Read = (check: Check) => LuaValue;

/** Characters that a pattern is looked for in: the search is linear, but still this times the size of the pattern. */
export const MAX_SEARCHED = 65_536;

/** What stands at a path of the specification (`actor.meta.team`); undefined for a path that is none. */
export const readerOf = (path: string): Read | undefined => {
  if (path === 'actor.id') return ({ actor }) => actor.id;
  if (path === 'action') return ({ action }) => action;
  if (path === 'resource') return ({ resource }) => resource;
  const [, root, keys] = /^(actor\.meta|meta)\.(.+)$/.exec(path) ?? [];
  const steps = keys?.split('.') ?? [];
  if (steps.length === 0 || steps.includes('')) return undefined;
  if (root === 'meta') return ({ meta }) => steps.reduce<LuaValue | CheckMeta>(member, meta) as LuaValue;
  return ({ actor }) => steps.reduce<LuaValue | CheckMeta>(member, actor.meta) as LuaValue;
};

const member = (value: LuaValue | CheckMeta, key: string): LuaValue => {
  if (value instanceof LuaTable) return value.get(key) ?? (/^\d+$/.test(key) ? value.get(Number(key)) : undefined);
  const isRecord = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
  return isRecord && Object.hasOwn(value, key) ? (value as Record<string, LuaValue>)[key] : undefined;
};

/** Both sides are there. Numbers, texts and booleans compare by value; a table equals nothing. */
type Comparison = (field: LuaValue, value: LuaValue) => boolean | undefined;

const isScalar = (value: LuaValue): boolean => ['string', 'number', 'boolean'].includes(typeof value);
const equals: Comparison = (field, value) => isScalar(field) && field === value;
const order =
  (holds: (sign: number) => boolean): Comparison =>
  (field, value) => {
    const isComparable = typeof field === typeof value && (typeof field === 'number' || typeof field === 'string');
    if (!isComparable) return false;
    const [a, b] = [field as number, value as number];
    return a < b ? holds(-1) : a > b ? holds(1) : a === b && holds(0);
  };
const isIn: Comparison = (field, value) =>
  value instanceof LuaTable && value.sequence().some((one) => equals(field, one));
const contains: Comparison = (field, value) => {
  if (typeof field === 'string') return typeof value === 'string' && field.includes(value);
  return field instanceof LuaTable && field.sequence().some((one) => equals(value, one));
};
const not =
  (comparison: Comparison): Comparison =>
  (field, value) => {
    const holds = comparison(field, value);
    return holds === undefined ? undefined : !holds;
  };

const search = (matcher: Matcher, field: LuaValue): boolean | undefined => {
  if (typeof field !== 'string') return false;
  return field.length > MAX_SEARCHED ? undefined : matcher(field);
};
/** A pattern that comes with the call (`value_from`) is compiled for it. */
const matches: Comparison = (field, value) => {
  if (typeof value !== 'string') return false;
  try {
    return search(regularExpression(value), field);
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
};
const existence = (isExpected: boolean): Comparison => {
  return (field, value) => typeof value === 'boolean' && ((field !== undefined) === isExpected) === value;
};

const COMPARISONS = {
  eq: equals,
  ne: not(equals),
  lt: order((sign) => sign < 0),
  gt: order((sign) => sign > 0),
  lte: order((sign) => sign <= 0),
  gte: order((sign) => sign >= 0),
  in: isIn,
  nin: not(isIn),
  exists: existence(true),
  nexists: existence(false),
  contains,
  ncontains: not(contains),
  matches,
  nmatches: not(matches),
} as const satisfies Readonly<Record<string, Comparison>>;
export type Operator = keyof typeof COMPARISONS;
export const OPERATORS = Object.keys(COMPARISONS) as readonly Operator[];

/** A condition that was checked when it was loaded (policy-schema.ts). @throws Error where it was not. */
export const conditionOf = ({ field, operator, value, value_from }: DeclaredCondition): Condition => {
  const left = known(field);
  const constant = luaValueOf(value as HostValue);
  const right: Read = value_from === undefined ? () => constant : known(value_from);
  const asksExistence = operator === 'exists' || operator === 'nexists';
  const compare = comparisonOf(operator, value_from === undefined ? constant : undefined);
  return (check) => {
    const found = left(check);
    if (found === undefined && !asksExistence) return false;
    const other = right(check);
    return other === undefined ? false : compare(found, other);
  };
};

const known = (path: string): Read => {
  const reader = readerOf(path);
  if (reader === undefined) throw new Error(`'${path}' is no path of a condition`);
  return reader;
};

/** A constant pattern is compiled once. */
const comparisonOf = (operator: Operator, constant: LuaValue): Comparison => {
  if ((operator !== 'matches' && operator !== 'nmatches') || typeof constant !== 'string') return COMPARISONS[operator];
  const matcher = regularExpression(constant);
  const compiled: Comparison = (field) => search(matcher, field);
  return operator === 'matches' ? compiled : not(compiled);
};

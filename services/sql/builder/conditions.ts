import { invalid } from '../../../runtime/errors.ts';
import { tableArgument, textArgument } from '../../../runtime/lua/arguments.ts';
import type { HostFunction, LuaClass } from '../../../runtime/lua/engine.ts';
import { failed } from '../../../runtime/lua/results.ts';
import { hostObject, isLuaString, LuaTable, type LuaValue, textOf } from '../../../runtime/lua/values.ts';
import { argsText, argumentValue, type Fragment, fragmentOf, isNull, joined, Part, raiseType } from './fragment.ts';

/** What `expr`, `eq`, `and_` ... give. */
export class Condition extends Part {
  readonly [hostObject] = true as const;
  readonly #render: () => Fragment;
  constructor(render: () => Fragment) {
    super();
    this.#render = render;
  }
  render(): Fragment {
    return this.#render();
  }
}

type Compare = (column: string, value: LuaValue) => Fragment;
const EQUAL: Compare = (column, value) =>
  isNull(value) ? { text: `${column} IS NULL`, args: [] } : { text: `${column} = ?`, args: [value] };
const NOT_EQUAL: Compare = (column, value) =>
  isNull(value) ? { text: `${column} IS NOT NULL`, args: [] } : { text: `${column} <> ?`, args: [value] };
const compare =
  (operator: string): Compare =>
  (column, value) => {
    if (isNull(value)) throw invalid(`cannot use null with ${operator}: ${column}`);
    return { text: `${column} ${operator} ?`, args: [value] };
  };

/** All pairs of a table, keys sorted, joined with AND. */
const ofPairs = (table: LuaTable, each: Compare): Fragment => {
  const columns = [...table.map.keys()].filter((key) => typeof key === 'string').sort();
  // As in an empty AND: nothing is asked of the rows.
  if (columns.length === 0) return { text: '(1=1)', args: [] };
  return joined(
    columns.map((column) => each(column, argumentValue(table.get(column)))),
    ' AND ',
  );
};
export const equality = (table: LuaTable): Condition => new Condition(() => ofPairs(table, EQUAL));

const pairs =
  (name: string, each: Compare): HostFunction =>
  (_thread, args) => {
    const table = tableArgument(args, 1, name);
    return [new Condition(() => ofPairs(table, each))];
  };
const junction =
  (name: string, separator: string, empty: string): HostFunction =>
  (_thread, args) => {
    const parts = tableArgument(args, 1, name)
      .sequence()
      .map((one): Condition => {
        if ((one as unknown) instanceof Condition) return one as unknown as Condition;
        if (one instanceof LuaTable) return equality(one);
        return raiseType(1, name, 'table of conditions');
      });
    return [
      new Condition(() => {
        if (parts.length === 0) return { text: empty, args: [] };
        const { text, args: values } = joined(
          parts.map((part) => part.render()),
          separator,
        );
        return { text: `(${text})`, args: values };
      }),
    ];
  };

export const conditionFunctions: Readonly<Record<string, HostFunction>> = {
  expr(_thread, args) {
    const text = textArgument(args, 1, 'expr');
    return [new Condition(() => fragmentOf(text, args.slice(1)))];
  },
  eq: pairs('eq', EQUAL),
  not_eq: pairs('not_eq', NOT_EQUAL),
  lt: pairs('lt', compare('<')),
  lte: pairs('lte', compare('<=')),
  gt: pairs('gt', compare('>')),
  gte: pairs('gte', compare('>=')),
  like: pairs('like', compare('LIKE')),
  not_like: pairs('not_like', compare('NOT LIKE')),
  and_: junction('and_', ' AND ', '(1=1)'),
  or_: junction('or_', ' OR ', '(1=0)'),
};

/** The argument of `where` and `having`: a text with arguments, a table, or a condition. Other types raise. */
export const conditionOf = (args: readonly LuaValue[], name: string): Part => {
  const [first, ...rest] = args;
  if (isLuaString(first)) {
    const text = textOf(first);
    return new Condition(() => fragmentOf(text, rest));
  }
  if (first instanceof LuaTable) return equality(first);
  if ((first as unknown) instanceof Condition) return first as unknown as Condition;
  return raiseType(1, name, 'string, table or condition');
};

export const conditionClass: LuaClass<Condition> = {
  name: 'sql.Condition',
  constructor: Condition,
  methods: {
    to_sql(self) {
      try {
        const { text, args } = self.render();
        return [text, args];
      } catch (error) {
        return failed(error);
      }
    },
  },
  tostring(self) {
    const { text, args } = self.render();
    return `SQL: ${text} ${argsText(args)}`;
  },
};

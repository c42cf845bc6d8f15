import { invalid, messageOf } from '../../../runtime/errors.ts';
import { tableArgument, textArgument } from '../../../runtime/lua/arguments.ts';
import type { HostFunction, LuaClass } from '../../../runtime/lua/engine.ts';
import { failed } from '../../../runtime/lua/results.ts';
import { hostObject, isLuaString, LuaTable, type LuaValue, textOf } from '../../../runtime/lua/values.ts';
import {
  argsText,
  argumentValue,
  type Fragment,
  fragmentOf,
  isNull,
  joined,
  Part,
  raiseType,
  written,
} from './fragment.ts';

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

/** Columns of a table of pairs, sorted. A list holds none, and must not be an empty condition. @throws LuaRaise */
export const columnsOf = (table: LuaTable, name: string): readonly string[] => {
  const keys = [...table.map.keys()];
  if (!keys.every((key) => typeof key === 'string')) return raiseType(1, name, 'table with names of columns as keys');
  return (keys as string[]).sort();
};

/** All pairs of a table, keys sorted, joined with AND. */
const ofPairs = (table: LuaTable, columns: readonly string[], each: Compare): Fragment => {
  // As in an empty AND: nothing is asked of the rows.
  if (columns.length === 0) return { text: '(1=1)', args: [] };
  return joined(
    columns.map((column) => each(column, argumentValue(table.get(column)))),
    ' AND ',
  );
};
export const equality = (table: LuaTable, name: string): Condition => {
  const columns = columnsOf(table, name);
  return new Condition(() => ofPairs(table, columns, EQUAL));
};

const pairs =
  (name: string, each: Compare): HostFunction =>
  (_thread, args) => {
    const table = tableArgument(args, 1, name);
    const columns = columnsOf(table, name);
    return [new Condition(() => ofPairs(table, columns, each))];
  };
const junction =
  (name: string, separator: string, empty: string): HostFunction =>
  (_thread, args) => {
    const parts = tableArgument(args, 1, name)
      .sequence()
      .map((one): Condition => {
        if ((one as unknown) instanceof Condition) return one as unknown as Condition;
        if (one instanceof LuaTable) return equality(one, name);
        return raiseType(1, name, 'table of conditions');
      });
    return [
      new Condition(() => {
        if (parts.length === 0) return { text: empty, args: [] };
        const { text, args: values } = joined(written(parts), separator);
        if (text === '') return { text, args: [] };
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
  if (first instanceof LuaTable) return equality(first, name);
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
    try {
      const { text, args } = self.render();
      return `SQL: ${text} ${argsText(args)}`;
    } catch (error) {
      return `SQL: ${messageOf(error)}`;
    }
  },
};

import { messageOf } from '../../../runtime/errors.ts';
import { numberArgument, tableArgument, textArgument } from '../../../runtime/lua/arguments.ts';
import type { HostMethod, LuaClass } from '../../../runtime/lua/engine.ts';
import { failed } from '../../../runtime/lua/results.ts';
import { LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { Condition, columnsOf, conditionClass, conditionOf } from './conditions.ts';
import { executorClass, executorOf } from './executor.ts';
import {
  argsText,
  type Fragment,
  fragmentOf,
  type Part,
  PlaceholderFormat,
  placeholderFormatClass,
  raiseType,
  withPlaceholders,
} from './fragment.ts';
import { DeleteBuilder, InsertBuilder, SelectBuilder, type StatementBuilder, UpdateBuilder } from './statements.ts';

type Method = HostMethod<StatementBuilder>;
type Methods = Readonly<Record<string, Method>>;

/** All arguments as texts; a list in a table counts as its elements. */
export const texts = (args: readonly LuaValue[], name: string): string[] => {
  const all = args.flatMap((arg) => (arg instanceof LuaTable ? arg.sequence() : [arg]));
  return all.map((_, i) => textArgument(all, i + 1, name));
};
const textPart = (args: readonly LuaValue[], name: string, before = ''): Part => {
  const text = textArgument(args, 1, name);
  const rest = args.slice(1);
  return new Condition(() => fragmentOf(before + text, rest));
};
/** Pairs of a table of columns, keys sorted. */
const columnPairs = (args: readonly LuaValue[], name: string): (readonly [string, LuaValue])[] => {
  const table = tableArgument(args, 1, name);
  return columnsOf(table, name).map((column) => [column, table.get(column)] as const);
};
const selectArgument = (value: LuaValue, name: string): SelectBuilder =>
  (value as unknown) instanceof SelectBuilder
    ? (value as unknown as SelectBuilder)
    : raiseType(1, name, 'SelectBuilder');
const count = (args: readonly LuaValue[], name: string): number =>
  Math.min(Math.max(0, Math.trunc(numberArgument(args, 1, name)) || 0), Number.MAX_SAFE_INTEGER);

const setTable =
  (name: string): Method =>
  (self, _thread, args) => [self.with({ table: textArgument(args, 1, name) })];
const join =
  (name: string, keyword: string): Method =>
  (self, _thread, args) => [self.with({ joins: [...self.state.joins, textPart(args, name, `${keyword} `)] })];

const SELECTION: Methods = {
  where: (self, _thread, args) => [self.with({ where: [...self.state.where, conditionOf(args, 'where')] })],
  order_by: (self, _thread, args) => [self.with({ orderBy: [...self.state.orderBy, ...texts(args, 'order_by')] })],
  limit: (self, _thread, args) => [self.with({ limit: count(args, 'limit') })],
  offset: (self, _thread, args) => [self.with({ offset: count(args, 'offset') })],
};
const COLUMNS: Methods = {
  columns: (self, _thread, args) => [self.with({ columns: [...self.state.columns, ...texts(args, 'columns')] })],
};

const writtenOf = (self: StatementBuilder): Fragment => withPlaceholders(self.render(), self.state.format);
const COMMON: Methods = {
  suffix: (self, _thread, args) => [self.with({ suffixes: [...self.state.suffixes, textPart(args, 'suffix')] })],
  placeholder_format(self, _thread, [format]) {
    if (!((format as unknown) instanceof PlaceholderFormat)) return raiseType(1, 'placeholder_format', 'format');
    return [self.with({ format: format as unknown as PlaceholderFormat })];
  },
  to_sql(self) {
    try {
      const { text, args } = writtenOf(self);
      return [text, args];
    } catch (error) {
      return failed(error);
    }
  },
  run_with(self, _thread, [target]) {
    try {
      return [executorOf(self, target), undefined];
    } catch (error) {
      return failed(error);
    }
  },
};

const SELECT: Methods = {
  from: setTable('from'),
  distinct: (self) => [self.with({ isDistinct: true })],
  join: join('join', 'JOIN'),
  left_join: join('left_join', 'LEFT JOIN'),
  right_join: join('right_join', 'RIGHT JOIN'),
  inner_join: join('inner_join', 'INNER JOIN'),
  group_by: (self, _thread, args) => [self.with({ groupBy: [...self.state.groupBy, ...texts(args, 'group_by')] })],
  having: (self, _thread, args) => [self.with({ having: [...self.state.having, conditionOf(args, 'having')] })],
};

const INSERT: Methods = {
  into: setTable('into'),
  values: (self, _thread, args) => [self.with({ rows: [...self.state.rows, args] })],
  set_map(self, _thread, args) {
    const pairs = columnPairs(args, 'set_map');
    return [self.with({ columns: pairs.map(([column]) => column), rows: [pairs.map(([, value]) => value)] })];
  },
  select: (self, _thread, [select]) => [self.with({ select: selectArgument(select, 'select') })],
  prefix: (self, _thread, args) => [self.with({ prefixes: [...self.state.prefixes, textPart(args, 'prefix')] })],
  options: (self, _thread, args) => [self.with({ options: [...self.state.options, ...texts(args, 'options')] })],
};

const UPDATE: Methods = {
  table: setTable('table'),
  set(self, _thread, args) {
    const column = textArgument(args, 1, 'set');
    return [self.with({ set: [...self.state.set, [column, args[1]]] })];
  },
  set_map: (self, _thread, args) => [self.with({ set: [...self.state.set, ...columnPairs(args, 'set_map')] })],
  from(self, _thread, args) {
    const text = textArgument(args, 1, 'from');
    return [self.with({ source: new Condition(() => ({ text: `FROM ${text}`, args: [] })) })];
  },
  from_select(self, _thread, args) {
    const select = selectArgument(args[0], 'from_select');
    const alias = textArgument(args, 2, 'from_select');
    const render = (): Fragment => {
      const { text, args: values } = select.render();
      return { text: `FROM (${text}) AS ${alias}`, args: values };
    };
    return [self.with({ source: new Condition(render) })];
  },
};

const classOf = (
  name: string,
  type: new (...args: never[]) => StatementBuilder,
  methods: Methods,
): LuaClass<StatementBuilder> => ({
  name: `sql.${name}`,
  constructor: type,
  methods: { ...COMMON, ...methods },
  tostring(self) {
    try {
      const { text, args } = writtenOf(self);
      return `${name}: ${text} ${argsText(args)}`;
    } catch (error) {
      return `${name}: ${messageOf(error)}`;
    }
  },
});

// biome-ignore lint/suspicious/noExplicitAny: classes of all types are collected here.
export const builderClasses: readonly LuaClass<any>[] = [
  classOf('SelectBuilder', SelectBuilder, { ...SELECTION, ...COLUMNS, ...SELECT }),
  classOf('InsertBuilder', InsertBuilder, { ...COLUMNS, ...INSERT }),
  classOf('UpdateBuilder', UpdateBuilder, { ...SELECTION, ...UPDATE }),
  classOf('DeleteBuilder', DeleteBuilder, { ...SELECTION, from: setTable('from') }),
  conditionClass,
  executorClass,
  placeholderFormatClass,
];

import { textArgument } from '../../../runtime/lua/arguments.ts';
import type { HostFunction } from '../../../runtime/lua/engine.ts';
import type { HostValue, LuaValue } from '../../../runtime/lua/values.ts';
import { texts } from './classes.ts';
import { conditionFunctions } from './conditions.ts';
import { AT, COLON, DOLLAR, QUESTION } from './fragment.ts';
import { DeleteBuilder, InsertBuilder, SelectBuilder, UpdateBuilder } from './statements.ts';

const optionalTable = (args: readonly LuaValue[], name: string): string =>
  args[0] === undefined ? '' : textArgument(args, 1, name);

/** `sql.builder` (lua/sql.md, section 7). */
export const builderFunctions: Readonly<Record<string, HostFunction>> = {
  select: (_thread, args) => [new SelectBuilder({ columns: texts(args, 'select') })],
  insert: (_thread, args) => [new InsertBuilder({ table: optionalTable(args, 'insert') })],
  update: (_thread, args) => [new UpdateBuilder({ table: optionalTable(args, 'update') })],
  delete: (_thread, args) => [new DeleteBuilder({ table: optionalTable(args, 'delete') })],
  ...conditionFunctions,
};
export const builderConstants: Readonly<Record<string, HostValue>> = {
  question: QUESTION,
  default_placeholder: QUESTION,
  dollar: DOLLAR,
  at: AT,
  colon: COLON,
};

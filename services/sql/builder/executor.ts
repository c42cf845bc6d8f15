import { invalid } from '../../../runtime/errors.ts';
import type { HostResults, LuaClass, LuaThread } from '../../../runtime/lua/engine.ts';
import { failed } from '../../../runtime/lua/results.ts';
import { hostObject, LuaTable } from '../../../runtime/lua/values.ts';
import { callerOf, DbHandle, executeOn, queryOn, TransactionHandle, withoutNul } from '../handles.ts';
import { DOLLAR, type Fragment, raiseType, withPlaceholders } from './fragment.ts';
import type { StatementBuilder } from './statements.ts';

/** What `run_with` gives: a written statement and where it runs. */
export class QueryExecutor {
  readonly [hostObject] = true as const;
  readonly fragment: Fragment;
  readonly handle: DbHandle | TransactionHandle;
  constructor(fragment: Fragment, handle: DbHandle | TransactionHandle) {
    this.fragment = fragment;
    this.handle = handle;
  }
}

/** @throws LuaRaise for what is no database and no transaction; CallError Invalid for an incomplete statement. */
export const executorOf = (builder: StatementBuilder, target: unknown): QueryExecutor => {
  if (!(target instanceof DbHandle) && !(target instanceof TransactionHandle)) {
    return raiseType(1, 'run_with', 'sql.DB or sql.Transaction');
  }
  const type = target instanceof DbHandle ? target.database.type : target.type;
  const format = type === 'postgres' ? DOLLAR : builder.state.format;
  const fragment = withPlaceholders(builder.render(), format);
  return new QueryExecutor({ ...fragment, text: withoutNul(fragment.text) }, target);
};

const run = (
  { fragment, handle }: QueryExecutor,
  thread: LuaThread,
  operation: typeof queryOn,
): HostResults | Promise<HostResults> => {
  if (handle instanceof DbHandle && handle.isReleased) return failed(invalid('database handle is released'));
  const params = new LuaTable(new Map(fragment.args.map((value, i) => [i + 1, value])));
  const target = handle instanceof DbHandle ? handle.database : handle.transaction;
  return operation(target, { text: fragment.text, params }, callerOf(thread, handle.held));
};

export const executorClass: LuaClass<QueryExecutor> = {
  name: 'sql.QueryExecutor',
  constructor: QueryExecutor,
  yields: ['query', 'exec'],
  methods: {
    query: (self, thread) => run(self, thread, queryOn),
    exec: (self, thread) => run(self, thread, executeOn),
    to_sql: ({ fragment: { text, args } }) => [text, args],
  },
  tostring: ({ fragment: { text, args } }) => `QueryExecutor: ${text} [Args: ${args.length}]`,
};

import { invalid } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { HostMethod, HostResults, LuaClass } from '../../runtime/lua/engine.ts';
import { failed, resultsOf } from '../../runtime/lua/results.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import {
  callerOf,
  DbHandle,
  done,
  executeOn,
  hold,
  one,
  prepareOn,
  queryOn,
  StatementHandle,
  statementText,
  TransactionHandle,
  transactionOptions,
} from './handles.ts';
import type { PoolStats } from './port.ts';

/** What a method throws is returned as `nil, err`. */
const guarded =
  <T>(check: (self: T) => void, method: HostMethod<T>): HostMethod<T> =>
  (self, thread, args) => {
    try {
      check(self);
      return method(self, thread, args);
    } catch (error) {
      return failed(error);
    }
  };
const allGuarded = <T>(
  check: (self: T) => void,
  methods: Readonly<Record<string, HostMethod<T>>>,
): Record<string, HostMethod<T>> =>
  Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, guarded(check, method)]));

/** Go's form of a duration, in milliseconds or seconds. */
const durationText = (ms: number): string => {
  if (ms === 0) return '0s';
  return ms < 1000 ? `${Number(ms.toFixed(3))}ms` : `${Number((ms / 1000).toFixed(3))}s`;
};
const statsTable = ({ max, used, idle, waitCount, waitMs, ...closed }: PoolStats) => ({
  max_open_connections: max,
  open_connections: used + idle,
  in_use: used,
  idle,
  wait_count: waitCount,
  wait_duration: durationText(waitMs),
  max_idle_closed: closed.maxIdleClosed,
  max_idle_time_closed: closed.maxIdleTimeClosed,
  max_lifetime_closed: closed.maxLifetimeClosed,
});

const release: HostMethod<DbHandle> = (self) => {
  if (!self.isReleased) {
    self.isReleased = true;
    self.held.forget();
  }
  return done();
};

export const dbClass: LuaClass<DbHandle> = {
  name: 'sql.DB',
  constructor: DbHandle,
  yields: ['query', 'execute', 'prepare', 'begin'],
  tostring: ({ isReleased }) => (isReleased ? 'sql.DB{released}' : 'sql.DB{}'),
  methods: {
    ...allGuarded(
      (self) => {
        if (self.isReleased) throw invalid('database handle is released');
      },
      {
        type: ({ database }) => one(database.type),
        query: ({ database, held }, thread, args) =>
          queryOn(database, { text: statementText(args, 'query'), params: args[1] }, callerOf(thread, held)),
        execute: ({ database, held }, thread, args) =>
          executeOn(database, { text: statementText(args, 'execute'), params: args[1] }, callerOf(thread, held)),
        prepare: ({ database, held }, thread, args) =>
          prepareOn(thread, statementText(args, 'prepare'), database, held, () => false),
        async begin({ database, held }, thread, args): Promise<HostResults> {
          try {
            const transaction = await database.begin(transactionOptions(args[0]), callerOf(thread, held));
            return one(
              new TransactionHandle(
                database.type,
                transaction,
                hold(thread.run, () => transaction.close()),
              ),
            );
          } catch (error) {
            return failed(error);
          }
        },
        stats: ({ database }) => one(statsTable(database.stats())),
      },
    ),
    release,
  },
};

const isOpen = (self: StatementHandle): void => {
  if (self.isClosed || self.isOver()) throw invalid('statement is closed');
};
export const statementClass: LuaClass<StatementHandle> = {
  name: 'sql.Statement',
  constructor: StatementHandle,
  yields: ['query', 'execute', 'close'],
  methods: {
    ...allGuarded(isOpen, {
      query: ({ text, target, held }, thread, args) =>
        queryOn(target, { text, params: args[0], isPrepared: true }, callerOf(thread, held)),
      execute: ({ text, target, held }, thread, args) =>
        executeOn(target, { text, params: args[0], isPrepared: true }, callerOf(thread, held)),
    }),
    close(self) {
      if (self.isClosed || self.isOver()) return failed(invalid('statement is already closed'));
      self.isClosed = true;
      self.held.forget();
      return done();
    },
  },
};

const SAVEPOINT_NAME = /^[A-Za-z0-9_]+$/;
/** Quoted, because a name may begin with a digit or be a word of SQL. */
const savepoint = (args: readonly LuaValue[], name: string): string => {
  const given = args[0] === undefined ? '' : textArgument(args, 1, name);
  if (given === '') throw invalid('savepoint name is required');
  if (!SAVEPOINT_NAME.test(given)) {
    throw invalid('savepoint name can only contain alphanumeric characters and underscores');
  }
  return `"${given}"`;
};
const savepointMethod =
  (name: string, sql: string): HostMethod<TransactionHandle> =>
  ({ transaction }, _thread, args) => {
    const command = `${sql} ${savepoint(args, name)}`;
    return resultsOf(() => transaction.command(command), done);
  };
const ending =
  (operation: 'commit' | 'rollback'): HostMethod<TransactionHandle> =>
  ({ transaction, held }) =>
    // Not before: a call that ends meanwhile gives up the connection on which nothing answers.
    resultsOf(() => transaction[operation]().finally(() => held.forget()), done);

const isActive = (self: TransactionHandle): void => {
  if (!self.transaction.isActive) throw invalid('transaction is not active');
};
export const transactionClass: LuaClass<TransactionHandle> = {
  name: 'sql.Transaction',
  constructor: TransactionHandle,
  yields: ['query', 'execute', 'prepare', 'commit', 'rollback', 'savepoint', 'rollback_to', 'release'],
  methods: {
    ...allGuarded(isActive, {
      query: ({ transaction, held }, thread, args) =>
        queryOn(transaction, { text: statementText(args, 'query'), params: args[1] }, callerOf(thread, held)),
      execute: ({ transaction, held }, thread, args) =>
        executeOn(transaction, { text: statementText(args, 'execute'), params: args[1] }, callerOf(thread, held)),
      prepare: ({ transaction, held }, thread, args) =>
        prepareOn(thread, statementText(args, 'prepare'), transaction, held, () => !transaction.isActive),
      commit: ending('commit'),
      rollback: ending('rollback'),
      savepoint: savepointMethod('savepoint', 'SAVEPOINT'),
      rollback_to: savepointMethod('rollback_to', 'ROLLBACK TO SAVEPOINT'),
      release: savepointMethod('release', 'RELEASE SAVEPOINT'),
      db_type: ({ type }) => one(type),
    }),
  },
};

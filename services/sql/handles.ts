import { CallError, invalid } from '../../runtime/errors.ts';
import { luaTypeOf, stringArgument } from '../../runtime/lua/arguments.ts';
import type { HostResults, LuaRun, LuaThread } from '../../runtime/lua/engine.ts';
import { failed } from '../../runtime/lua/results.ts';
import { type HostValue, hostObject, LuaTable, type LuaValue } from '../../runtime/lua/values.ts';
import { type Executed, ISOLATION_LEVELS, type Isolation, type TransactionOptions } from './driver.ts';
import type { Database, SqlCaller, SqlTarget, Transaction } from './port.ts';
import { luaRows, sqlParams } from './values.ts';

/** Aborts when the call that holds the handle has ended: nobody waits for what it still runs. */
interface Held {
  readonly signal: AbortSignal;
  /** Takes the release at the end of the call back. */
  forget: () => void;
}

/** What `sql.get` gives: one call's hold on a database. */
export class DbHandle {
  readonly [hostObject] = true as const;
  readonly database: Database;
  readonly held: Held;
  isReleased = false;
  constructor(database: Database, held: Held) {
    this.database = database;
    this.held = held;
  }
}
/** What `db:begin` gives. */
export class TransactionHandle {
  readonly [hostObject] = true as const;
  readonly type: Database['type'];
  readonly transaction: Transaction;
  readonly held: Held;
  constructor(type: Database['type'], transaction: Transaction, held: Held) {
    this.type = type;
    this.transaction = transaction;
    this.held = held;
  }
}
/** What `prepare` gives, of a database or of a transaction. */
export class StatementHandle {
  readonly [hostObject] = true as const;
  readonly text: string;
  readonly target: SqlTarget;
  readonly held: Held;
  /** A statement of a transaction ends with it. */
  readonly isOver: () => boolean;
  isClosed = false;
  constructor(text: string, target: SqlTarget, held: Held, isOver: () => boolean) {
    this.text = text;
    this.target = target;
    this.held = held;
    this.isOver = isOver;
  }
}

/** Runs `release` when the call ends, after the signal has told what still runs. */
export const hold = (run: LuaRun, release: () => void | Promise<void>): Held => {
  const controller = new AbortController();
  const forget = run.defer(() => {
    controller.abort(new CallError('the call has ended', { kind: 'Canceled', retryable: false }));
    return release();
  });
  return { signal: controller.signal, forget };
};

export const one = (value: HostValue): readonly HostValue[] => [value, undefined];
export const done = (): readonly HostValue[] => [true, undefined];
export const callerOf = (thread: LuaThread, { signal }: Held): SqlCaller => ({ context: thread.context, signal });
/**
 * A statement's text. Other types than text and numbers raise. What no driver hands on as it is, is refused: a NUL ends the text
 * there, and bytes that are no UTF-8 would be changed on the way. @throws CallError Invalid
 */
export const statementText = (args: readonly LuaValue[], name: string): string => {
  const text = stringArgument(args, 1, name);
  if (typeof text !== 'string')
    throw invalid('SQL text must be valid UTF-8. Pass bytes as a parameter: sql.as.binary(s).');
  return withoutNul(text);
};
export const withoutNul = (text: string): string => {
  if (text.includes('\0')) throw invalid('SQL text must not contain NUL. Pass such a value as a parameter.');
  return text;
};
const executedTable = ({ lastInsertId, rowsAffected }: Executed): HostValue => ({
  last_insert_id: lastInsertId,
  rows_affected: rowsAffected,
});

/** `query` and `execute` of all three classes and of the builder's executor. */
export const queryOn = async (
  target: SqlTarget,
  statement: { text: string; params: LuaValue; isPrepared?: boolean },
  caller: SqlCaller,
): Promise<HostResults> => {
  try {
    return one(luaRows(await target.query({ ...statement, params: sqlParams(statement.params) }, caller)));
  } catch (error) {
    return failed(error);
  }
};
export const executeOn = async (
  target: SqlTarget,
  statement: { text: string; params: LuaValue; isPrepared?: boolean },
  caller: SqlCaller,
): Promise<HostResults> => {
  try {
    return one(executedTable(await target.execute({ ...statement, params: sqlParams(statement.params) }, caller)));
  } catch (error) {
    return failed(error);
  }
};

/** What ends with the call, once the database has agreed. */
export const prepareOn = async (
  thread: LuaThread,
  text: string,
  target: SqlTarget,
  held: Held,
  isOver: () => boolean,
): Promise<HostResults> => {
  try {
    await target.prepare(text, callerOf(thread, held));
    const statement: StatementHandle = new StatementHandle(
      text,
      target,
      hold(thread.run, () => {
        statement.isClosed = true;
      }),
      isOver,
    );
    return one(statement);
  } catch (error) {
    return failed(error);
  }
};

/** Of `begin`; what is no table says nothing. @throws CallError Invalid. */
export const transactionOptions = (value: LuaValue): TransactionOptions => {
  const options = value instanceof LuaTable ? value : undefined;
  const isolation = options?.get('isolation') ?? 'default';
  if (!(ISOLATION_LEVELS as readonly LuaValue[]).includes(isolation)) {
    const shown = typeof isolation === 'string' || typeof isolation === 'number' ? isolation : luaTypeOf(isolation);
    throw invalid(`invalid isolation level: ${shown}`);
  }
  return { isolation: isolation as Isolation, readOnly: options?.get('read_only') === true };
};

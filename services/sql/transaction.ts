import type { CallContext } from '../../runtime/context.ts';
import { invalid } from '../../runtime/errors.ts';
import type { Connection, Executed } from './driver.ts';
import type { Transaction, TransactionMark } from './port.ts';
import type { SqlSites } from './sites.ts';

/** A transaction that has begun on this connection; `context` is that of the call that began it. */
export const openTransaction = (
  sites: SqlSites,
  connection: Connection,
  context: CallContext,
  mark: TransactionMark | undefined,
): Transaction => {
  let isActive = true;
  let running = 0;
  let marked: Promise<void> | undefined;

  const active = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!isActive) throw invalid('transaction is not active');
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  };
  const run = ({ text, params, isPrepared = false }: Parameters<Transaction['execute']>[0]): Promise<Executed> =>
    connection.execute({ text, params, isPrepared });
  /** Of several coroutines that write at once, the first marks and the others wait for it. */
  const ensureMarked = (caller: CallContext): Promise<void> | undefined => {
    if (mark === undefined) return undefined;
    marked ??= Promise.resolve(mark(run, caller));
    return marked;
  };
  /** The connection goes back whatever the database says: the transaction is over for the user either way. */
  const end = async (operation: 'commit' | 'rollback'): Promise<void> => {
    if (!isActive) throw invalid('transaction is not active');
    isActive = false;
    try {
      await sites[operation](undefined, context, () => connection[operation]());
    } finally {
      connection.release();
    }
  };

  return {
    get isActive() {
      return isActive;
    },
    query: ({ text, params, isPrepared = false }, caller) =>
      active(() => sites.query(text, caller.context, () => connection.query({ text, params, isPrepared }))),
    execute: (statement, caller) =>
      active(() =>
        sites.exec(statement.text, caller.context, async () => {
          const marking = ensureMarked(caller.context);
          if (marking !== undefined) await marking;
          return run(statement);
        }),
      ),
    prepare: (text) => active(() => connection.prepare(text)),
    command: (text) =>
      active(async () => {
        await connection.execute({ text, params: [], isPrepared: false });
      }),
    commit: () => end('commit'),
    rollback: () => end('rollback'),
    async close() {
      if (!isActive) return;
      if (running === 0) {
        // It is counted and traced as any rollback; its failure has no reader any more.
        await end('rollback').catch(() => {});
        return;
      }
      isActive = false;
      await sites.rollback(undefined, context, async () => connection.abandon());
    },
  };
};

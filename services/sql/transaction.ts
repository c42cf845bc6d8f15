import type { Clock } from '../../runtime/clock.ts';
import type { CallContext } from '../../runtime/context.ts';
import { waitAtMost } from '../../runtime/deadline.ts';
import { invalid } from '../../runtime/errors.ts';
import type { Connection, Executed } from './driver.ts';
import type { Transaction, TransactionMark } from './port.ts';
import type { SqlSites } from './sites.ts';

/** How long the rollback of a transaction that its call has left open may take: a network that is gone answers never. */
const ROLLBACK_MS = 5_000;

/** A transaction that has begun on this connection; `context` is that of the call that began it. */
export const openTransaction = (
  sites: SqlSites,
  connection: Connection,
  context: CallContext,
  mark: TransactionMark | undefined,
  clock: Clock,
): Transaction => {
  let isActive = true;
  let isEnding = false;
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
    isEnding = true;
    try {
      await sites[operation](undefined, context, () => connection[operation]());
    } finally {
      isEnding = false;
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
      if (isEnding) connection.abandon(); // nobody waits for the answer to a commit any more
      if (!isActive) return;
      if (running === 0) {
        // It is counted and traced as any rollback; its failure has no reader any more.
        const { inTime } = await waitAtMost(
          clock,
          ROLLBACK_MS,
          end('rollback').catch(() => {}),
        );
        if (!inTime) connection.abandon();
        return;
      }
      isActive = false;
      await sites.rollback(undefined, context, async () => connection.abandon());
    },
  };
};

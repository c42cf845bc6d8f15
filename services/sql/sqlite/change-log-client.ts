import type { Clock } from '../../../runtime/clock.ts';
import { asCallError, type CallError, unavailable } from '../../../runtime/errors.ts';
import type { ChangeLog, ChangeLogOptions } from '../change-log.ts';
import type { DatabaseThread } from './database-thread.ts';
import type { LogName } from './log-protocol.ts';

/** How long what another program does may go unnoticed. */
const LOOK_EVERY_MS = 100;
/** Rows that cross over from the thread at once. */
const ROWS_AT_ONCE = 500;

/**
 * One reader of a log of a database. What must not be within a transaction of the app takes a turn like any of its users.
 * @throws CallError; nothing stays open then.
 */
export const openChangeLog = async (
  clock: Clock,
  thread: DatabaseThread,
  turn: () => Promise<() => void>,
  { reader, isDurable, tables, wantsRows, troubled }: ChangeLogOptions,
): Promise<ChangeLog> => {
  const log: LogName = isDurable ? 'main' : 'temp';
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    const end = await turn();
    try {
      return await work();
    } finally {
      end();
    }
  };
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {}); // whoever waits for it is told
  let waiting: { readonly after: number; readonly tell: (position: number) => void }[] = [];
  let committed = 0;
  let isClosed = false;

  const reached = (position: number): void => {
    if (position <= committed) return;
    committed = position;
    const told = waiting.filter(({ after }) => after < position);
    waiting = waiting.filter(({ after }) => after >= position);
    for (const { tell } of told) tell(position);
  };
  const forget = thread.onNotice((notice) => {
    if (notice.log === log) reached(notice.committed);
  });
  const opening = { log, reader, tables, wantsRows, generation: crypto.randomUUID() };
  const opened = await alone(() => thread.log('open', opening)).catch((error: unknown) => {
    forget();
    throw error;
  });
  reached(opened.committed);

  let isLooking = false;
  let isTroubled = false;
  let hasEnded = false;
  thread.ended.catch(() => {
    hasEnded = true;
  });
  const looked = (error: CallError | undefined): void => {
    isLooking = false;
    if (hasEnded || isClosed || isTroubled === (error !== undefined)) return;
    isTroubled = error !== undefined;
    troubled(error);
  };
  const look = (): void => {
    if (isLooking) return; // a statement that takes long is still in its way
    isLooking = true;
    thread.log('look', {}).then(
      () => looked(undefined),
      (error: unknown) => looked(asCallError(error)),
    );
  };
  const cancelLook = clock.every(LOOK_EVERY_MS, look, { unref: true });

  return {
    generation: opened.generation,
    position: opened.position,
    owesRows: opened.owesRows,
    ended: Promise.race([closed.promise, thread.ended]),
    changed(after) {
      if (after < committed) return Promise.resolve(committed);
      return new Promise((tell) => waiting.push({ after, tell }));
    },
    read: (after, limit) => thread.log('read', { log, after, limit }),
    async keep(position) {
      while (await alone(() => thread.log('keep', { log, reader, position }))); // others get their turn in between
    },
    retained: (after) => thread.log('retained', { log, after }),
    shapes: () => thread.log('shapes', {}),
    async rows(names, row, signal) {
      const { id, position } = await alone(() => thread.log('openRows', { log, tables: names }));
      try {
        for (;;) {
          const rows = await thread.log('nextRows', { id, limit: ROWS_AT_ONCE });
          if (rows.length === 0) return position;
          for (const [table, text] of rows) {
            signal.throwIfAborted();
            await row(table, text);
          }
        }
      } finally {
        await thread.log('closeRows', { id }).catch(() => {}); // with the thread it has ended
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      cancelLook();
      forget();
      closed.reject(unavailable('the change log is closed'));
      await alone(() => thread.log('close', { log, reader }));
    },
  };
};

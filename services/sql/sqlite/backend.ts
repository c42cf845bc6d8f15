import { resolve } from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import { waitAtMost } from '../../../runtime/deadline.ts';
import { invalid, unavailable } from '../../../runtime/errors.ts';
import type { Connection, Executed, Rows, SqlBackend } from '../driver.ts';
import { createTurns, type Turns } from '../turns.ts';
import { openChangeLog } from './change-log-client.ts';
import { type DatabaseThread, openThread } from './database-thread.ts';
import type { WorkerOperation } from './protocol.ts';

export interface SqliteOptions {
  readonly id: string;
  /** A path, or `:memory:`. */
  readonly file: string;
  /** What a relative path is relative to. */
  readonly root: string;
  /** Milliseconds: for the connection, and for the lock of another program. */
  readonly acquireTimeoutMs: number;
  readonly busyTimeoutMs: number;
  /** Milliseconds that a stop waits for the statement that runs. */
  readonly stopTimeoutMs: number;
}

/** `db.sql.sqlite`: one connection, in a thread of its own, so that a slow statement blocks nothing but the database. */
export const sqliteBackend = (clock: Clock, options: SqliteOptions): SqlBackend => {
  const { id, acquireTimeoutMs } = options;
  // SQLite reads `file:` as a URI, whose path is its own affair.
  const isPath = options.file !== ':memory:' && !options.file.startsWith('file:');
  const file = isPath ? resolve(options.root, options.file) : options.file;
  let thread: DatabaseThread | undefined;
  let turns: Turns | undefined;
  /** Logs that somebody reads: only then it is worth telling in which trace a change is made. */
  let logs = 0;

  return {
    type: 'sqlite',
    system: 'sqlite',
    isEmbedded: true,
    spanAttributes: { 'db.namespace': id },
    async acquire(signal) {
      const database = thread;
      if (database === undefined || turns === undefined) throw unavailable(`database is not running: ${id}`);
      return connectionOf(database, await turns.take(acquireTimeoutMs, signal), logs > 0);
    },
    async openChangeLog(wanted) {
      const database = thread;
      const queue = turns;
      if (database === undefined || queue === undefined) throw unavailable(`database is not running: ${id}`);
      if (wanted.isDurable && !isPath) {
        throw invalid(`a durable change log needs a database in a file: ${id} is ${options.file}`);
      }
      const turn = () => queue.take(acquireTimeoutMs, new AbortController().signal);
      const log = await openChangeLog(clock, database, turn, wanted);
      logs += 1;
      log.ended.catch(() => {
        logs -= 1;
      });
      return log;
    },
    state() {
      const used = turns?.isTaken === true ? 1 : 0;
      const open = thread === undefined ? 0 : 1;
      return { max: 1, used, idle: open - used, maxIdleClosed: 0, maxIdleTimeClosed: 0, maxLifetimeClosed: 0 };
    },
    async start(failed) {
      const { busyTimeoutMs } = options;
      const opened = await openThread({ file, busyTimeoutMs }, (error) => {
        thread = undefined;
        turns?.close(error);
        failed(error);
      });
      thread = opened;
      turns = createTurns(
        clock,
        () => `no connection to ${id} was free within ${acquireTimeoutMs} ms: 1 of 1 is in use`,
      );
    },
    async stop() {
      const database = thread;
      thread = undefined;
      turns?.close(unavailable(`database is not running: ${id}`));
      turns = undefined;
      if (database === undefined) return;
      const closed = await waitAtMost(clock, options.stopTimeoutMs, database.close());
      if (!closed.inTime) await database.terminate();
    },
  };
};

const connectionOf = (thread: DatabaseThread, endTurn: () => void, isLogged: boolean): Connection => {
  /** A transaction was begun here and is not known to have ended. */
  let isDirty = false;
  let isReadOnly = false;
  let isReleased = false;
  const run = async (text: string): Promise<void> => {
    await thread.perform({ kind: 'execute', text, params: [] });
  };
  const finish = async (operation: WorkerOperation): Promise<void> => {
    await thread.perform(operation);
    if (isReadOnly) await run('PRAGMA query_only = OFF');
    isDirty = false;
  };
  const release = (): void => {
    if (isReleased) return;
    isReleased = true;
    if (!isDirty) endTurn();
    // The next one waits for this; a thread that is gone has nothing to undo.
    else thread.perform({ kind: 'reset' }).then(endTurn, endTurn);
  };
  return {
    query: ({ text, params }) => thread.perform({ kind: 'query', text, params }) as Promise<Rows>,
    execute: ({ text, params }) => thread.perform({ kind: 'execute', text, params }) as Promise<Executed>,
    async prepare(text) {
      await thread.perform({ kind: 'prepare', text });
    },
    async begin({ readOnly }) {
      isDirty = true;
      await run('BEGIN');
      // One connection and whole-file locks: every transaction is serializable, whatever its level is called.
      if (readOnly) {
        isReadOnly = true;
        await run('PRAGMA query_only = ON');
      }
    },
    commit: () => finish({ kind: 'commit' }),
    rollback: () => finish({ kind: 'execute', text: 'ROLLBACK', params: [] }),
    ...(isLogged && {
      async mark(traceparent: string) {
        await thread.perform({ kind: 'mark', traceparent });
      },
    }),
    release,
    // SQLite has no way to end a statement from another thread here: the reset waits for it.
    abandon() {
      isDirty = true;
      release();
    },
  };
};

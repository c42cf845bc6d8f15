import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import { waitAtMost } from '../../../runtime/deadline.ts';
import { internal, invalid, unavailable } from '../../../runtime/errors.ts';
import type { Connection, Executed, Rows, SqlBackend } from '../driver.ts';
import { startFailure } from '../start-failure.ts';
import { createTurns, type Turns } from '../turns.ts';
import { openChangeLog } from './change-log-client.ts';
import { type DatabaseThread, openThread } from './database-thread.ts';
import type { ExitGuard } from './exit-guard.ts';
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
  readonly exitGuard: ExitGuard;
}

/** Of `stopTimeoutMs`, and added to it: what a thread that is between two statements gets to end. */
const TERMINATE_PART = 0.1;
const GIVEN_UP = 'a statement that goes on although its caller has given up; SQLite cannot interrupt it';

/** `db.sql.sqlite`: one connection, in a thread of its own, so that a slow statement blocks nothing but the database. */
export const sqliteBackend = (clock: Clock, options: SqliteOptions): SqlBackend => {
  const { id, acquireTimeoutMs } = options;
  // SQLite reads `file:` as a URI, whose path is its own affair.
  const isPath = options.file !== ':memory:' && !options.file.startsWith('file:');
  const file = isPath ? resolve(options.root, options.file) : options.file;
  let thread: DatabaseThread | undefined;
  let turns: Turns | undefined;
  /** The statement that runs is nobody's any more. */
  let isGivenUp = false;
  const busy = (): string => {
    const text = `no connection to ${id} was free within ${acquireTimeoutMs} ms: 1 of 1 is in use`;
    return isGivenUp ? `${text} by ${GIVEN_UP}` : text;
  };
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
      const endTurn = await turns.take(acquireTimeoutMs, signal);
      return connectionOf(
        database,
        {
          endTurn() {
            isGivenUp = false;
            endTurn();
          },
          onGivenUp() {
            isGivenUp = true;
          },
        },
        logs > 0,
      );
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
      }).catch((error: unknown) => {
        const hint = !isPath || existsSync(dirname(file)) ? '' : '. Its folder does not exist: create it.';
        throw startFailure(file, error, hint);
      });
      thread = opened;
      turns = createTurns(clock, busy);
      isGivenUp = false;
      const letGo = options.exitGuard.watch(() => opened.isBusy);
      void opened.exited.then(letGo);
    },
    async stop() {
      const database = thread;
      thread = undefined;
      turns?.close(unavailable(`database is not running: ${id}`));
      turns = undefined;
      if (database === undefined) return;
      const closed = await waitAtMost(clock, options.stopTimeoutMs, database.close());
      if (closed.inTime) return;
      // It ends with its statement, or with the program.
      const { inTime } = await waitAtMost(clock, options.stopTimeoutMs * TERMINATE_PART, database.terminate());
      if (!inTime) throw internal('a statement still runs, and SQLite cannot interrupt it: its thread is left behind');
    },
  };
};

interface Turn {
  readonly endTurn: () => void;
  readonly onGivenUp: () => void;
}
const connectionOf = (thread: DatabaseThread, { endTurn, onGivenUp }: Turn, isLogged: boolean): Connection => {
  /** A transaction was begun here and is not known to have ended. */
  let isDirty = false;
  /** It has begun: no statement is meant to run outside of it. */
  let isWithin = false;
  let isReadOnly = false;
  let isReleased = false;
  const run = async (text: string): Promise<void> => {
    await thread.perform({ kind: 'execute', text, params: [] });
  };
  const finish = async (operation: WorkerOperation): Promise<void> => {
    isWithin = false;
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
    query: ({ text, params }) => thread.perform({ kind: 'query', text, params, isWithin }) as Promise<Rows>,
    execute: ({ text, params }) => thread.perform({ kind: 'execute', text, params, isWithin }) as Promise<Executed>,
    async prepare(text) {
      await thread.perform({ kind: 'prepare', text });
    },
    async begin({ readOnly }) {
      isDirty = true;
      await run('BEGIN');
      isWithin = true;
      // One connection and whole-file locks: every transaction is serializable, whatever its level is called.
      if (readOnly) {
        isReadOnly = true;
        await run('PRAGMA query_only = ON');
      }
    },
    commit: () => finish({ kind: 'commit', isWithin: true }),
    rollback: () => finish({ kind: 'execute', text: 'ROLLBACK', params: [], isWithin: true }),
    ...(isLogged && {
      async mark(traceparent: string) {
        await thread.perform({ kind: 'mark', traceparent });
      },
    }),
    release,
    // SQLite has no way to end a statement from another thread here: the reset waits for it.
    abandon() {
      if (isReleased) return;
      isDirty = true;
      onGivenUp();
      release();
    },
  };
};

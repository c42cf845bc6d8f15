import type { DatabaseSync } from 'node:sqlite';
import { DatabaseLog } from './change-log.ts';
import type { LogCalls, LogName, LogRequest } from './log-protocol.ts';
import { createRowReading } from './row-reading.ts';
import { OWN_PREFIX, tableShapes } from './table-shapes.ts';

/** Tells that a log is committed up to here. */
export type LogNotice = (log: LogName, committed: number) => void;

/** The logs of the database that this thread has open, and what keeps them right while statements run. */
export interface ChangeLogs {
  /** Runs one statement of the app, once more where the triggers alone were in its way. */
  around<T>(run: () => T): T;
  /** The open transaction is made in this trace. */
  mark(traceparent: string): void;
  /** Before the open transaction is committed. */
  seal(): void;
  perform(request: LogRequest): ReturnType<LogCalls[keyof LogCalls]>;
  close(): void;
}

export const createChangeLogs = (db: DatabaseSync, file: string, notice: LogNotice): ChangeLogs => {
  const logs = { temp: new DatabaseLog(db, 'temp'), main: new DatabaseLog(db, 'main') };
  const rowReading = createRowReading(db, file, logs);
  const number = (text: string): (() => number) => {
    const statement = db.prepare(text);
    statement.setReturnArrays(true);
    return () => (statement.get() as unknown as [number])[0];
  };
  const schemaVersion = number('PRAGMA main.schema_version');
  const dataVersion = number('PRAGMA main.data_version');
  const totalChanges = number('SELECT total_changes()');
  const isReadOnly = number('PRAGMA query_only');
  let open: readonly DatabaseLog[] = [];
  /** What the triggers were made for, what others have committed, what this connection has changed. */
  let knownSchema = -1;
  let knownData = -1;
  let knownChanges = -1;
  let isUnsettled = false;

  const sync = (): void => {
    const shapes = tableShapes(db);
    for (const log of open) log.sync(shapes);
    knownSchema = schemaVersion(); // with the triggers just made
  };
  const asOne = <T>(work: () => T): T => {
    const savepoint = `${OWN_PREFIX}work`;
    db.exec(`SAVEPOINT ${savepoint}`);
    try {
      const out = work();
      db.exec(`RELEASE ${savepoint}`);
      return out;
    } catch (error) {
      db.exec(`ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`);
      throw error;
    }
  };
  const follow = (): void => {
    if (schemaVersion() !== knownSchema && isReadOnly() === 0) asOne(sync);
  };
  const settle = (): void => {
    if (db.isTransaction) return;
    isUnsettled = false;
    for (const log of open) if (log.settle()) notice(log.name, log.committed);
  };
  const afterStatement = (): void => {
    try {
      follow();
    } catch {
      // The statement itself has been done. What is in the way is still there for the next `look`, which tells it.
    }
    const changes = totalChanges();
    if (changes !== knownChanges) isUnsettled = true;
    knownChanges = changes;
    if (isUnsettled) settle();
  };

  /** A column that a trigger names cannot be dropped: the statement that drops it runs without them. */
  const isInTheWay = (message: string): boolean => new RegExp(`error in trigger "?${OWN_PREFIX}`).test(message);
  /** A trigger that names a column that another program has dropped breaks every write: the next one runs with new ones. */
  const isOutdated = (message: string): boolean =>
    /no such (?:column|table)/.test(message) && schemaVersion() !== knownSchema;
  const again = <T>(error: unknown, run: () => T): T => {
    const message = error instanceof Error ? error.message : '';
    const blocks = isInTheWay(message);
    if (!blocks && !isOutdated(message)) throw error;
    return asOne(() => {
      if (blocks) for (const log of open) log.dropTriggers();
      else sync();
      const out = run();
      if (blocks) sync();
      return out;
    });
  };

  /** All of it or nothing, and nothing of the app's. Who writes the connection's own log waits for no other program. */
  const atomically = <T>(log: LogName, work: () => T): T => {
    if (db.isTransaction) throw new Error('a transaction is open that was begun by a statement: end it');
    db.exec(log === 'temp' ? 'BEGIN' : 'BEGIN IMMEDIATE');
    try {
      const out = work();
      db.exec('COMMIT');
      return out;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  const nowOpen = (): void => {
    open = Object.values(logs).filter(({ isOpen }) => isOpen);
  };

  const calls: LogCalls = {
    open(input) {
      const { log, reader } = input;
      try {
        return atomically(log, () => {
          // Who asks for the log of the connection does not want the one in the file any more.
          if (log === 'temp') logs.main.forgetReader(reader, () => tableShapes(db));
          const opened = logs[log].open(input);
          nowOpen();
          sync();
          knownData = dataVersion();
          return opened;
        });
      } catch (error) {
        logs[log].close(reader);
        nowOpen();
        throw error;
      }
    },
    close({ log, reader }) {
      logs[log].close(reader);
      nowOpen();
      // Those in the file stay: that is what durable means.
      if (log === 'temp') atomically(log, () => logs.temp.sync(tableShapes(db)));
      return undefined;
    },
    read: ({ log, after, limit }) => logs[log].read(after, limit),
    look() {
      if (db.isTransaction) return undefined;
      follow();
      const version = dataVersion();
      if (version !== knownData) settle();
      knownData = version;
      return undefined;
    },
    keep: ({ log, reader, position }) => atomically(log, () => logs[log].keep(reader, position)),
    retained: ({ log, after }) => logs[log].retained(after),
    shapes() {
      if (!db.isTransaction) follow();
      return tableShapes(db).map(({ table, columns, primaryKey }) => ({ table, columns, primaryKey }));
    },
    openRows: (input) => rowReading.open(input),
    nextRows: ({ id, limit }) => rowReading.next(id, limit),
    closeRows: ({ id }) => rowReading.close(id),
  };

  return {
    around(run) {
      if (open.length === 0) return run();
      let out: ReturnType<typeof run>;
      try {
        out = run();
      } catch (error) {
        out = again(error, run);
      }
      afterStatement();
      return out;
    },
    mark(traceparent) {
      for (const log of open) log.mark(traceparent);
    },
    seal() {
      for (const log of open) log.seal();
    },
    perform: ({ call, input }) => (calls[call] as (input: unknown) => ReturnType<LogCalls[typeof call]>)(input),
    close: () => rowReading.closeAll(),
  };
};

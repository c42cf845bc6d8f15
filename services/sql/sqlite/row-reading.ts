import { DatabaseSync } from 'node:sqlite';
import type { DatabaseLog } from './change-log.ts';
import { selectRows } from './change-triggers.ts';
import type { LogCalls, LogName } from './log-protocol.ts';
import { tableShapes } from './table-shapes.ts';

/** For the short while in which another program tidies the journal up. */
const BUSY_TIMEOUT_MS = 5000;

type TableRow = readonly [table: string, row: string];

/** Reads the rows of tables as of one moment, part by part, while statements of the app run in between. */
export interface RowReading {
  open(input: Parameters<LogCalls['openRows']>[0]): ReturnType<LogCalls['openRows']>;
  next(id: number, limit: number): readonly TableRow[];
  close(id: number): undefined;
  closeAll(): void;
}

interface Reading {
  readonly rows: Iterator<TableRow>;
  close(): void;
}

export const createRowReading = (
  db: DatabaseSync,
  file: string,
  logs: Readonly<Record<LogName, DatabaseLog>>,
): RowReading => {
  const readings = new Map<number, Reading>();
  let lastId = 0;

  /** With a write-ahead journal a connection of its own sees one moment for as long as it wants, and holds nobody up. */
  const aside = (log: LogName, tables: readonly string[]): { reading: Reading; position: number } => {
    const own = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      own.exec('BEGIN');
      own.prepare('SELECT count(*) FROM main.sqlite_schema').get(); // now is the moment
      const position = log === 'temp' ? logs.temp.committed : logs.main.lastIn(own);
      return { reading: { rows: rowsOf(own, tables), close: () => own.close() }, position };
    } catch (error) {
      own.close();
      throw error;
    }
  };
  /** Otherwise all of it at once: a database in memory holds it anyway. */
  const atOnce = (log: LogName, tables: readonly string[]): { reading: Reading; position: number } => ({
    reading: { rows: [...rowsOf(db, tables)].values(), close: () => {} },
    position: logs[log].committed,
  });

  const close = (id: number): undefined => {
    readings.get(id)?.close();
    readings.delete(id);
  };
  return {
    open({ log, tables }) {
      if (db.isTransaction) throw new Error('a transaction is open that was begun by a statement: end it');
      const { journal_mode: mode } = db.prepare('PRAGMA main.journal_mode').get() as { journal_mode: string };
      const { reading, position } = mode === 'wal' ? aside(log, tables) : atOnce(log, tables);
      lastId += 1;
      readings.set(lastId, reading);
      return { id: lastId, position };
    },
    next(id, limit) {
      const reading = readings.get(id);
      const found: TableRow[] = [];
      while (reading !== undefined && found.length < limit) {
        const { done, value } = reading.rows.next();
        if (done === true) break;
        found.push(value);
      }
      return found;
    },
    close,
    closeAll() {
      for (const id of readings.keys()) close(id);
    },
  };
};

function* rowsOf(db: DatabaseSync, tables: readonly string[]): Generator<TableRow, undefined> {
  const wanted = new Set(tables);
  for (const shape of tableShapes(db)) {
    if (!wanted.has(shape.table)) continue;
    const statement = db.prepare(selectRows(shape));
    statement.setReturnArrays(true);
    for (const row of statement.iterate()) yield [shape.table, (row as unknown as [string])[0]];
  }
  return undefined;
}

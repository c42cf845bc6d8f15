import type { DatabaseSync } from 'node:sqlite';
import { changeTables } from '../change-tables.ts';
import type { LogName, LogOpened, LogOpening } from './log-protocol.ts';
import { OWN_PREFIX } from './table-shapes.ts';

/** The cursors of the log in the file, one line a reader. */
const SOURCES = `${OWN_PREFIX}sources`;

type Joining = Pick<LogOpening, 'reader' | 'tables' | 'wantsRows' | 'generation'> & { readonly position: number };

/** Who reads a log, and how far each has come. */
export interface Readers {
  /** Those of this program. */
  readonly open: ReadonlySet<string>;
  join(joining: Joining): Omit<LogOpened, 'committed'>;
  leave(reader: string): void;
  /** Takes the cursor away as well. False where there was none. */
  forget(reader: string): boolean;
  keep(reader: string, position: number): void;
  /** What all of them, those of other programs too, have handled. */
  slowest(): number;
  wants(table: string): boolean;
}

export const createReaders = (db: DatabaseSync, log: LogName): Readers => (log === 'main' ? inFile(db) : inMemory());

const inMemory = (): Readers => {
  const positions = new Map<string, number>();
  const filters = new Map<string, (table: string) => boolean>();
  const forget = (reader: string): boolean => {
    filters.delete(reader);
    return positions.delete(reader);
  };
  return {
    get open() {
      return new Set(positions.keys());
    },
    join({ reader, tables, wantsRows, generation, position }) {
      positions.set(reader, position);
      filters.set(reader, changeTables(tables));
      // Nobody has written for it until now: every opening is another log.
      return { generation, position, owesRows: wantsRows };
    },
    leave: (reader) => void forget(reader),
    forget,
    keep: (reader, position) => void positions.set(reader, position),
    slowest: () => Math.min(Number.MAX_SAFE_INTEGER, ...positions.values()),
    wants: (table) => [...filters.values()].some((wants) => wants(table)),
  };
};

const inFile = (db: DatabaseSync): Readers => {
  const open = new Set<string>();
  let filters: readonly ((table: string) => boolean)[] = [];
  const readFilters = (): void => {
    const rows = db.prepare(`SELECT tables FROM main.${SOURCES}`).all() as { tables: string | null }[];
    filters = rows.map(({ tables }) => changeTables(tables === null ? undefined : JSON.parse(tables)));
  };
  return {
    open,
    join({ reader, tables, wantsRows, generation, position }) {
      db.exec(`CREATE TABLE IF NOT EXISTS main.${SOURCES} (source TEXT PRIMARY KEY, generation TEXT NOT NULL,
        position INTEGER NOT NULL, owes_rows INTEGER NOT NULL, tables TEXT, updated_at INTEGER NOT NULL)`);
      const listed = tables === undefined ? null : JSON.stringify(tables);
      const added = `INSERT INTO main.${SOURCES} VALUES (?, ?, ?, ?, ?, unixepoch())
        ON CONFLICT (source) DO UPDATE SET tables = excluded.tables, owes_rows = owes_rows AND excluded.owes_rows`;
      db.prepare(added).run(reader, generation, position, wantsRows ? 1 : 0, listed);
      const of = `SELECT generation, position, owes_rows FROM main.${SOURCES} WHERE source = ?`;
      const row = db.prepare(of).get(reader) as { generation: string; position: number; owes_rows: number };
      open.add(reader);
      readFilters();
      return { generation: row.generation, position: row.position, owesRows: row.owes_rows !== 0 };
    },
    /** The cursor stays, and so do its changes: that is what durable means. */
    leave: (reader) => void open.delete(reader),
    forget(reader) {
      const found = `SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = '${SOURCES}'`;
      if (db.prepare(found).get() === undefined) return false;
      const { changes } = db.prepare(`DELETE FROM main.${SOURCES} WHERE source = ?`).run(reader);
      readFilters();
      return Number(changes) > 0;
    },
    keep(reader, position) {
      const text = `UPDATE main.${SOURCES} SET position = ?, owes_rows = 0, updated_at = unixepoch() WHERE source = ?`;
      db.prepare(text).run(position, reader);
    },
    slowest() {
      const text = `SELECT coalesce(min(position), ${Number.MAX_SAFE_INTEGER}) AS least FROM main.${SOURCES}`;
      return (db.prepare(text).get() as { least: number }).least;
    },
    wants: (table) => filters.some((wants) => wants(table)),
  };
};

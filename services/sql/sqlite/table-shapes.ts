import type { DatabaseSync } from 'node:sqlite';
import type { LogShape } from '../change-log.ts';

/** With what the triggers need to know beside. */
export interface TableShape extends LogShape {
  /** Columns of each index that rows may not share; those with expressions and those of some rows only are left out. */
  readonly uniques: readonly (readonly string[])[];
  /** The name of the row's number that no column hides; undefined in a table without one. */
  readonly rowid: string | undefined;
}

/** Of everything that a log makes in a database: tables and triggers. */
export const OWN_PREFIX = 'perilune_cdc_';

/** Virtual tables, those they consist of, and views have no triggers. */
const TABLES = `SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'perilune\\_cdc\\_%' ESCAPE '\\' ORDER BY name`;
const COLUMNS = `SELECT name, pk FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 1 ORDER BY cid`;
const UNIQUES = `SELECT name, origin FROM pragma_index_list(?, 'main') WHERE "unique" = 1 AND partial = 0`;
const INDEXED = `SELECT name FROM pragma_index_info(?, 'main') ORDER BY seqno`;
const ROWIDS = ['rowid', '_rowid_', 'oid'];

/** The tables of a database that can have triggers. */
export const tableShapes = (db: DatabaseSync): readonly TableShape[] => {
  const rows = <Row>(text: string, ...params: string[]): Row[] => db.prepare(text).all(...params) as Row[];
  return rows<{ name: string; wr: number }>(TABLES).map(({ name: table, wr }) => {
    const columns = rows<{ name: string; pk: number }>(COLUMNS, table);
    const primaryKey = columns
      .filter(({ pk }) => pk > 0)
      .sort((a, b) => a.pk - b.pk)
      .map(({ name }) => name);
    const indexes = rows<{ name: string; origin: string }>(UNIQUES, table);
    const uniques = indexes
      .map(({ name }) => rows<{ name: string | null }>(INDEXED, name).map((column) => column.name))
      .filter((names): names is string[] => !names.includes(null));
    // The number of a row as its key has no index of its own.
    if (primaryKey.length > 0 && !indexes.some(({ origin }) => origin === 'pk')) uniques.push(primaryKey);
    const names = new Set(columns.map(({ name }) => name.toLowerCase()));
    return {
      table,
      columns: columns.map(({ name }) => name),
      primaryKey,
      uniques,
      rowid: wr === 1 ? undefined : ROWIDS.find((name) => !names.has(name)),
    };
  });
};

import type { LogName } from './log-protocol.ts';
import { OWN_PREFIX, type TableShape } from './table-shapes.ts';

/** The line of each change. */
export const CHANGES = `${OWN_PREFIX}changes`;
/** Rows that the row about to be written would replace: empty but for a moment. */
export const REPLACED = `${OWN_PREFIX}replaced`;

/** Milliseconds since the epoch, in every version of SQLite that may write the file. */
export const NOW = `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`;

/** A function of SQLite takes 127 arguments in older versions, two for each column. */
const COLUMNS_PER_OBJECT = 60;

const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** With its type before it: JSON has no bytes, and not every number. 17 digits are a double's. */
const typed = (value: string): string =>
  `CASE typeof(${value}) WHEN 'text' THEN 't' || ${value} WHEN 'integer' THEN 'i' || ${value}` +
  ` WHEN 'real' THEN 'r' || printf('%!.17g', ${value}) WHEN 'blob' THEN 'b' || hex(${value}) END`;

/** A row as ChangeRow has it; wide ones are an array of objects. `of`: NEW, OLD or an alias. */
export const rowJson = (of: string, columns: readonly string[]): string => {
  const objects: string[] = [];
  for (let at = 0; at < columns.length; at += COLUMNS_PER_OBJECT) {
    const members = columns
      .slice(at, at + COLUMNS_PER_OBJECT)
      .map((column) => `${literal(column)}, ${typed(`${of}.${name(column)}`)}`);
    objects.push(`json_object(${members.join(', ')})`);
  }
  return objects.length === 1 ? (objects[0] as string) : `json_array(${objects.join(', ')})`;
};

/** The rows of a table in that form. */
export const selectRows = ({ table, columns }: Pick<TableShape, 'table' | 'columns'>): string =>
  `SELECT ${rowJson('r', columns)} FROM main.${name(table)} AS r`;

export interface TriggerText {
  readonly name: string;
  /** From `BEGIN` on: what SQLite keeps as it was given, until a column gets another name. */
  readonly body: string;
  readonly create: string;
}

/**
 * What writes the changes of a table. SQLite tells triggers nothing of rows that REPLACE deletes, so those that stand in the
 * way are noted before the row is written, and are gone when it has been.
 */
export const triggersOf = (log: LogName, shape: TableShape): readonly TriggerText[] => {
  const { table, columns, uniques } = shape;
  const own = literal(table);
  // In the file the name of the schema would bind the trigger to programs that have the file open under that name.
  const seen = log === 'temp' ? `main.${name(table)}` : name(table);
  const trigger = (when: string, event: string, statements: readonly string[]): TriggerText => {
    const title = `${OWN_PREFIX}${when}_${event}_${table}`;
    const body = `BEGIN ${statements.join('; ')}; END`;
    return { name: title, body, create: `CREATE TRIGGER ${log}.${name(title)} ${when} ${event} ON ${seen} ${body}` };
  };
  const change = (op: string, before: string, after: string): string =>
    `INSERT INTO ${CHANGES} (time, op, table_name, before, after) VALUES (${NOW}, '${op}', ${own}, ${before}, ${after})`;
  const oldRow = rowJson('OLD', columns);
  const newRow = rowJson('NEW', columns);
  const after = [
    trigger('after', 'insert', [...replacedLines(own, uniques), change('insert', 'NULL', newRow)]),
    trigger('after', 'update', [...replacedLines(own, uniques), change('update', oldRow, newRow)]),
    trigger('after', 'delete', [change('delete', oldRow, 'NULL'), ...deletedLines(own, uniques, oldRow)]),
  ];
  if (uniques.length === 0) return after;
  const note = (condition: string): readonly string[] => [
    `DELETE FROM ${REPLACED} WHERE table_name = ${own}`,
    `INSERT INTO ${REPLACED} (table_name, before) SELECT ${own}, ${rowJson('r', columns)} FROM ${seen} AS r WHERE ${condition}`,
  ];
  return [
    trigger('before', 'insert', note(conflict(uniques))),
    trigger('before', 'update', note(conflictOfUpdate(shape))),
    ...after,
  ];
};

/** That the write has succeeded says that they are gone. */
const replacedLines = (own: string, uniques: TableShape['uniques']): readonly string[] =>
  uniques.length === 0
    ? []
    : [
        `INSERT INTO ${CHANGES} (time, op, table_name, before) SELECT ${NOW}, 'delete', table_name, before FROM ${REPLACED} WHERE table_name = ${own}`,
        `DELETE FROM ${REPLACED} WHERE table_name = ${own}`,
      ];

/** With `PRAGMA recursive_triggers = ON` it does tell: then they are no longer to be told by us. */
const deletedLines = (own: string, uniques: TableShape['uniques'], oldRow: string): readonly string[] =>
  uniques.length === 0 ? [] : [`DELETE FROM ${REPLACED} WHERE table_name = ${own} AND before = ${oldRow}`];

const conflict = (uniques: TableShape['uniques']): string =>
  uniques
    .map((columns) => columns.map((column) => `r.${name(column)} = NEW.${name(column)}`).join(' AND '))
    .map((same) => `(${same})`)
    .join(' OR ');

/** Another row than the one that is written, and only where a column of an index gets another value. */
const conflictOfUpdate = ({ uniques, primaryKey, rowid }: TableShape): string => {
  const columns = [...new Set(uniques.flat())];
  const moves = columns.map((column) => `NEW.${name(column)} IS NOT OLD.${name(column)}`).join(' OR ');
  const identity = rowid === undefined ? primaryKey : [rowid];
  const itself = identity.map((column) => `r.${name(column)} IS OLD.${name(column)}`).join(' AND ');
  return `(${moves}) AND (${conflict(uniques)}) AND NOT (${itself})`;
};

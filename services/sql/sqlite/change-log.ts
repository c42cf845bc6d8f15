import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChangeRow } from '../change-log.ts';
import { CHANGES, NOW, REPLACED, triggersOf } from './change-triggers.ts';
import type { LogName, LogOpened, LogOpening } from './log-protocol.ts';
import { createReaders, type Readers } from './log-readers.ts';
import { OWN_PREFIX, type TableShape } from './table-shapes.ts';

/** Lines that one call forgets at most: statements of the app wait that long. */
const FORGOTTEN_AT_ONCE = 5000;

/** Characters of rows after which one call reads no further: large values would fill the memory. */
const READ_AT_ONCE = 4 * 1024 * 1024;

const tablesOf = (log: LogName): string => `
  CREATE TABLE IF NOT EXISTS ${log}.${CHANGES} (seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, op TEXT NOT NULL,
    table_name TEXT, before TEXT, after TEXT, until INTEGER);
  CREATE TABLE IF NOT EXISTS ${log}.${REPLACED} (table_name TEXT, before TEXT);`;

/** The counter outlives lines that were forgotten. */
const lastLine = (log: LogName): string => `SELECT coalesce((SELECT max(seq) FROM ${log}.${CHANGES}),
  (SELECT seq FROM ${log}.sqlite_sequence WHERE name = '${CHANGES}'), 0) AS last`;

/** One log of the connection that this thread has open. What it writes is in the transaction of whoever calls. */
export class DatabaseLog {
  readonly name: LogName;
  readonly #db: DatabaseSync;
  readonly #kept = new Map<string, StatementSync>();
  readonly #readers: Readers;
  #committed = 0;
  #mark: number | undefined;

  constructor(db: DatabaseSync, name: LogName) {
    this.#db = db;
    this.name = name;
    this.#readers = createReaders(db, name);
  }

  /** Somebody reads it. */
  get isOpen(): boolean {
    return this.#readers.open.size > 0;
  }
  get committed(): number {
    return this.#committed;
  }

  open({ reader, tables, wantsRows, generation }: LogOpening): LogOpened {
    this.#db.exec(tablesOf(this.name));
    const committed = this.#last();
    const opened = this.#readers.join({ reader, tables, wantsRows, generation, position: committed });
    if (committed > this.#committed) this.#committed = committed;
    return { ...opened, committed };
  }

  /** Takes the reader's cursor away as well, unless it is in the file. */
  close(reader: string): void {
    this.#readers.leave(reader);
  }

  /** Removes a reader of the file that no longer asks for it, with what was written for it alone. */
  forgetReader(reader: string, shapes: () => readonly TableShape[]): void {
    if (!this.#readers.forget(reader)) return;
    this.sync(shapes());
    this.#db.prepare(`DELETE FROM ${this.name}.${CHANGES} WHERE seq <= ?`).run(this.#readers.slowest());
  }

  /** Makes the triggers those of the tables as they are; those of tables that nobody reads go. */
  sync(shapes: readonly TableShape[]): void {
    const wanted = shapes
      .filter(({ table }) => this.#readers.wants(table))
      .flatMap((shape) => triggersOf(this.name, shape).map((trigger) => ({ ...trigger, table: shape.table })));
    const found = this.#triggers();
    const isNewest = this.#newest();
    const stays = new Set<string>();
    for (const { name, body, table } of wanted) {
      const there = found.get(name);
      const isSame = there?.sql.endsWith(body) === true && there.table === table.toLowerCase();
      if (isSame && isNewest(table)) stays.add(name);
    }
    // All of a table or none: the order in which they were made is the order in which they run.
    for (const name of found.keys()) if (!stays.has(name)) this.#drop(name);
    for (const { name, create } of wanted) if (!stays.has(name)) this.#db.exec(create);
  }

  dropTriggers(): void {
    for (const name of this.#triggers().keys()) this.#drop(name);
  }

  /** What is in the log now is committed. True where there is more than before. */
  settle(): boolean {
    this.#mark = undefined;
    const last = this.#last();
    if (last <= this.#committed) return false;
    this.#committed = last;
    return true;
  }

  read(after: number, limit: number): readonly ChangeRow[] {
    const text = `SELECT seq, time, op, table_name AS "table", before, after, until FROM ${this.name}.${CHANGES}
      WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`;
    const found: ChangeRow[] = [];
    let size = 0;
    for (const one of this.#statement(text).iterate(after, this.#committed, limit)) {
      const row = one as unknown as ChangeRow;
      found.push(row);
      size += (row.before?.length ?? 0) + (row.after?.length ?? 0);
      if (size > READ_AT_ONCE) break;
    }
    return found;
  }

  retained(after: number): number {
    const text = `SELECT coalesce(sum(coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0)), 0) AS bytes
      FROM ${this.name}.${CHANGES} WHERE seq > ? AND seq <= ?`;
    return (this.#statement(text).get(after, this.#committed) as { bytes: number }).bytes;
  }

  /** @returns whether there is more to forget. */
  keep(reader: string, position: number): boolean {
    this.#readers.keep(reader, position);
    const text = `DELETE FROM ${this.name}.${CHANGES} WHERE seq IN
      (SELECT seq FROM ${this.name}.${CHANGES} WHERE seq <= ? ORDER BY seq LIMIT ${FORGOTTEN_AT_ONCE})`;
    return Number(this.#statement(text).run(this.#readers.slowest()).changes) === FORGOTTEN_AT_ONCE;
  }

  /** The changes from here to the end of the open transaction are made in this trace. */
  mark(traceparent: string): void {
    const text = `INSERT INTO ${this.name}.${CHANGES} (time, op, after) VALUES (${NOW}, 'trace', ?)`;
    this.#mark = Number(this.#statement(text).run(traceparent).lastInsertRowid);
  }

  /** The open transaction is about to be committed. */
  seal(): void {
    if (this.#mark === undefined) return;
    const text = `UPDATE ${this.name}.${CHANGES} SET until = (SELECT max(seq) FROM ${this.name}.${CHANGES}) WHERE seq = ?`;
    this.#statement(text).run(this.#mark);
  }

  /** The last line, as another connection sees it. */
  lastIn(db: DatabaseSync): number {
    return (db.prepare(lastLine(this.name)).get() as { last: number }).last;
  }

  #last(): number {
    return (this.#statement(lastLine(this.name)).get() as { last: number }).last;
  }

  #triggers(): ReadonlyMap<string, { table: string; sql: string }> {
    const text = `SELECT name, lower(tbl_name) AS "table", sql FROM ${this.name}.sqlite_schema WHERE type = 'trigger'
      AND substr(name, 1, ${OWN_PREFIX.length}) = '${OWN_PREFIX}'`;
    const rows = this.#db.prepare(text).all() as unknown as { name: string; table: string; sql: string }[];
    return new Map(rows.map((row) => [row.name, row]));
  }

  /** Triggers of the app that are newer than ours run before them: a change that they make would come before its cause. */
  #newest(): (table: string) => boolean {
    if (this.name === 'temp') return () => true; // those run first
    const own = `substr(name, 1, ${OWN_PREFIX.length}) = '${OWN_PREFIX}'`;
    const text = `SELECT lower(tbl_name) AS "table", min(CASE WHEN ${own} THEN rowid END) AS ours, max(CASE WHEN NOT (${own}) THEN rowid END) AS theirs
      FROM main.sqlite_schema WHERE type = 'trigger' GROUP BY 1`;
    const rows = this.#db.prepare(text).all() as unknown as {
      table: string;
      ours: number | null;
      theirs: number | null;
    }[];
    const late = new Set(rows.filter(({ ours, theirs }) => (theirs ?? 0) > (ours ?? 0)).map(({ table }) => table));
    return (table) => !late.has(table.toLowerCase());
  }

  #drop(name: string): void {
    this.#db.exec(`DROP TRIGGER ${this.name}."${name.replaceAll('"', '""')}"`);
  }

  #statement(text: string): StatementSync {
    let found = this.#kept.get(text);
    if (found === undefined) {
      found = this.#db.prepare(text);
      this.#kept.set(text, found);
    }
    return found;
  }
}

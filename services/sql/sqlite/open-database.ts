import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { invalid } from '../../../runtime/errors.ts';
import type { Cell, Executed, Rows, SqlParam } from '../driver.ts';
import { rfc3339 } from '../timestamp.ts';
import { type ChangeLogs, createChangeLogs, type LogNotice } from './change-logs.ts';
import type { LogRequest } from './log-protocol.ts';
import type { WorkerData, WorkerOperation } from './protocol.ts';

/** Compiled statements that are kept; SQLite compiles one again by itself when the schema has changed. */
const KEPT_STATEMENTS = 128;

type BoundParam = null | number | bigint | string | Uint8Array;
const bound = (param: SqlParam): BoundParam => (typeof param === 'boolean' ? BigInt(param) : param);

/** Whole numbers that a double does not hold become decimal text, value by value. */
const integerCell = (value: bigint): Cell =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);

const OVER = 'transaction is not active: a statement has ended it, or SQLite has rolled it back';

const BOOLEAN = /^bool(ean)?$/i;
const MOMENT = /^(date|datetime|timestamp)\b/i;
type Convert = (value: unknown) => Cell;
const plain: Convert = (value) => {
  if (value === null) return undefined;
  return typeof value === 'bigint' ? integerCell(value) : (value as Cell);
};
const boolean: Convert = (value) => (typeof value === 'bigint' ? value !== 0n : plain(value));
const moment: Convert = (value) => (typeof value === 'string' ? (rfc3339(value) ?? value) : plain(value));
/** SQLite has no types for these: what the column was declared as says what its values mean. */
const converterOf = (declared: string | null): Convert => {
  if (declared === null) return plain;
  if (BOOLEAN.test(declared)) return boolean;
  return MOMENT.test(declared) ? moment : plain;
};

/** Names of parameters (`:a`, `@p1`, `$x`) in the order of their first use; quoted text and comments hold none. */
const parameterNames = (text: string): readonly string[] => {
  const names = new Set<string>();
  const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|([:@$][A-Za-z0-9_]+)/g;
  for (const [, name] of text.matchAll(tokens)) if (name !== undefined) names.add(name);
  return [...names];
};

/** No statement: white space, comments, semicolons. */
const NOTHING = /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*$/;

export interface OpenDatabase {
  perform(operation: WorkerOperation | LogRequest): unknown;
}

/** A database that is open in this thread. Everything throws SQLite's own errors. */
export const openDatabase = ({ file, busyTimeoutMs }: WorkerData, notice: LogNotice): OpenDatabase => {
  const db = new DatabaseSync(file, {
    timeout: busyTimeoutMs,
    // As SQLite itself has them, so that programs and tools see one database: `PRAGMA foreign_keys = ON` is the app's choice.
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: true,
  });
  if (file !== ':memory:') db.exec('PRAGMA journal_mode = WAL');
  const kept = new Map<string, StatementSync>();
  const totals = db.prepare('SELECT total_changes() AS n');
  const totalChanges = (): number => (totals.get() as { n: number }).n;
  /** Made when somebody asks for one. */
  let logs: ChangeLogs | undefined;

  const compiled = (text: string): StatementSync => {
    const known = kept.get(text);
    if (known !== undefined) {
      kept.delete(text); // the order of the map is that of use
      kept.set(text, known);
      return known;
    }
    const statement = db.prepare(text);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    kept.set(text, statement);
    if (kept.size > KEPT_STATEMENTS) kept.delete(kept.keys().next().value as string);
    return statement;
  };
  /** What follows the first statement; empty where nothing does. `sourceSQL` ends where the first one does. */
  const restOf = (text: string, statement: StatementSync): string => text.slice(statement.sourceSQL.length);

  /** Runs the statements of a text one after the other, the last with `use`; undefined for a text without statements. */
  const run = <T>(text: string, params: readonly SqlParam[], use: (statement: StatementSync) => T): T | undefined => {
    /** Compiled when its turn has come: it may need what the one before it makes. */
    const next = (rest: string): { readonly rest: string } | { readonly out: T } => {
      const statement = compiled(rest);
      const behind = restOf(rest, statement);
      if (NOTHING.test(behind)) return { out: use(statement) };
      if (params.length > 0) throw new Error('parameters need a text of one statement');
      statement.run();
      return { rest: behind };
    };
    for (let rest = text; !NOTHING.test(rest); ) {
      const of = rest;
      const done = logs === undefined ? next(of) : logs.around(() => next(of));
      if ('out' in done) return done.out;
      rest = done.rest;
    }
    return undefined;
  };

  /** SQLite numbers all parameters, but `node:sqlite` gives values by place to unnamed ones only. */
  const withParams = <T>(
    text: string,
    params: readonly SqlParam[],
    use: (...bound: (BoundParam | Record<string, BoundParam>)[]) => T,
  ): T => {
    const values = params.map(bound);
    const names = values.length === 0 ? [] : parameterNames(text);
    if (names.length === 0) return use(...values);
    return use(Object.fromEntries(names.map((name, i) => [name, values[i] ?? null])));
  };

  const query = (text: string, params: readonly SqlParam[]): Rows =>
    run(text, params, (statement) => {
      const found = withParams(text, params, (...values) => statement.all(...(values as BoundParam[])));
      // After the run: a statement that SQLite had to compile again may have other columns than before.
      const columns = statement.columns();
      const converters = columns.map(({ type }) => converterOf(type));
      const rows = (found as unknown as unknown[][]).map((row) =>
        row.map((value, i) => (converters[i] ?? plain)(value)),
      );
      return { columns: columns.map(({ name }) => name), rows };
    }) ?? { columns: [], rows: [] };
  const execute = (text: string, params: readonly SqlParam[]): Executed => {
    const before = totalChanges();
    const done = run(text, params, (statement) => {
      const { changes, lastInsertRowid } = withParams(text, params, (...values) =>
        statement.run(...(values as BoundParam[])),
      );
      // `changes` is that of the last statement that changed rows, which need not be this one.
      const hasChanged = totalChanges() !== before;
      return { lastInsertId: Number(lastInsertRowid), rowsAffected: hasChanged ? Number(changes) : 0 };
    });
    return done ?? { lastInsertId: 0, rowsAffected: 0 };
  };
  const reset = (): void => {
    if (db.isTransaction) db.exec('ROLLBACK');
    db.exec('PRAGMA query_only = OFF');
  };

  return {
    perform(operation) {
      // SQLite ends a transaction by itself too (OR ROLLBACK, a full disk): what comes then must not be written outside of it.
      if ('isWithin' in operation && operation.isWithin === true && !db.isTransaction) throw invalid(OVER);
      switch (operation.kind) {
        case 'query':
          return query(operation.text, operation.params);
        case 'execute':
          return execute(operation.text, operation.params);
        case 'prepare':
          compiled(operation.text);
          return undefined;
        case 'commit':
          logs?.seal();
          return execute('COMMIT', []);
        case 'mark':
          logs?.mark(operation.traceparent);
          return undefined;
        case 'reset':
          return logs === undefined ? reset() : logs.around(reset);
        case 'log':
          logs ??= createChangeLogs(db, file, notice);
          return logs.perform(operation);
        case 'close':
          logs?.close();
          kept.clear();
          db.close();
          return undefined;
      }
    },
  };
};

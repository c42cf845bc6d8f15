/** Checked names (sql-names.ts): they go into the statements as they are. */
export interface SqlTable {
  readonly name: string;
  readonly key: string;
  readonly value: string;
  readonly expiry: string;
}

export interface StoreStatements {
  /** key */
  readonly get: string;
  readonly has: string;
  readonly delete: string;
  /** key, value, ttl in seconds or NULL */
  readonly set: string;
  /** prefix, after, limit [, end of the prefix] */
  readonly list: string;
  readonly listBelow: string;
  readonly sweep: string;
  /** Plans a write without doing it: fails where the table is not as it must be. */
  readonly check: string;
  /** One row: the type of the value's and of the expiry's column. */
  readonly types: string;
}

interface Dialect {
  readonly param: (n: number) => string;
  /** Order and comparison of keys byte by byte, whatever the column says. */
  readonly collation: string;
  /** Unix seconds with fractions, by the database's clock: one clock for all programs. */
  readonly now: string;
  readonly asSeconds: (param: string) => string;
  /** The type of a column, lower case. */
  readonly type: (table: SqlTable, column: string) => string;
}

const POSTGRES: Dialect = {
  param: (n) => `$${n}`,
  collation: 'COLLATE "C"',
  now: 'CAST(EXTRACT(EPOCH FROM now()) AS double precision)',
  asSeconds: (param) => `CAST(${param} AS double precision)`,
  // Of no row there is a NULL, which has a type all the same.
  type: ({ name }, column) => `CAST(pg_typeof((SELECT ${column} FROM ${name} LIMIT 1)) AS text)`,
};
const SQLITE: Dialect = {
  param: (n) => `?${n}`,
  collation: 'COLLATE BINARY',
  now: `unixepoch('subsec')`,
  asSeconds: (param) => param,
  // Only a STRICT table holds a column to its type; any other takes fractions and text everywhere.
  type: ({ name }, column) =>
    `(SELECT CASE WHEN t.strict THEN lower(c.type) ELSE '' END FROM pragma_table_list('${name}') t, pragma_table_info('${name}') c WHERE lower(c.name) = lower('${column}'))`,
};

/** Types that cannot hold a fraction of a second: an expiry is rounded up there, never early. */
export const WHOLE_TYPES: ReadonlySet<string> = new Set(['int', 'integer', 'smallint', 'bigint']);

export const storeStatements = (
  type: 'sqlite' | 'postgres',
  table: SqlTable,
  { isWhole }: { isWhole: boolean },
): StoreStatements => {
  const { name, key, value, expiry } = table;
  const { param, collation, now, asSeconds, ...dialect } = type === 'postgres' ? POSTGRES : SQLITE;
  const live = `(${expiry} IS NULL OR ${expiry} > ${now})`;
  const at = `${now} + ${asSeconds(param(3))}`;
  const collated = `${key} ${collation}`;
  const into = (row: string): string =>
    `INSERT INTO ${name} (${key}, ${value}, ${expiry}) VALUES (${row}) ON CONFLICT (${key}) DO UPDATE SET ${value} = excluded.${value}, ${expiry} = excluded.${expiry}`;
  const list = (bound: string): string =>
    `SELECT ${key}, ${value} FROM ${name} WHERE ${collated} >= ${param(1)} AND ${collated} > ${param(2)}${bound} AND ${live} ORDER BY ${collated} LIMIT ${param(3)}`;
  return {
    get: `SELECT ${value} FROM ${name} WHERE ${key} = ${param(1)} AND ${live}`,
    has: `SELECT 1 FROM ${name} WHERE ${key} = ${param(1)} AND ${live}`,
    delete: `DELETE FROM ${name} WHERE ${key} = ${param(1)} AND ${live}`,
    set: into(`${param(1)}, ${param(2)}, ${isWhole ? `CEIL(${at})` : at}`),
    list: list(''),
    listBelow: list(` AND ${collated} < ${param(4)}`),
    sweep: `DELETE FROM ${name} WHERE ${expiry} <= ${now}`,
    check: `EXPLAIN ${into("'', 'null', NULL")}`,
    types: `SELECT ${dialect.type(table, value)}, ${dialect.type(table, expiry)}`,
  };
};

/** What to run where there is no table yet. */
export const tableText = (type: 'sqlite' | 'postgres', { name, key, value, expiry }: SqlTable): string =>
  type === 'postgres'
    ? `CREATE TABLE ${name} (${key} text COLLATE "C" PRIMARY KEY, ${value} text NOT NULL, ${expiry} double precision)`
    : `CREATE TABLE ${name} (${key} TEXT PRIMARY KEY, ${value} TEXT NOT NULL, ${expiry} REAL)`;

/** The first text, byte by byte, after all that begin with `prefix`; undefined where there is none. */
export const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (one) => one.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // Surrogates are no characters of UTF-8.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return String.fromCodePoint(...points, next);
  }
  return undefined;
};

import { execFileSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import type { ChangeLog, ChangeLogOptions, ChangeRow } from '../../../services/sql/change-log.ts';
import type { Connection, SqlParam } from '../../../services/sql/driver.ts';
import { sqliteBackend } from '../../../services/sql/sqlite/backend.ts';
import { createExitGuard } from '../../../services/sql/sqlite/exit-guard.ts';
import { poll } from '../../harness/poll.ts';

/** The command line of SQLite, of whatever version the machine has. */
const SHELL = 'sqlite3';
const NEVER = new AbortController().signal;
const ORDERS = 'CREATE TABLE orders (id INTEGER PRIMARY KEY, name, code UNIQUE)';

interface Opened {
  readonly file: string;
  readonly run: (text: string, params?: readonly SqlParam[]) => Promise<void>;
  readonly open: (options?: Partial<ChangeLogOptions>) => Promise<ChangeLog>;
  readonly connect: () => Promise<Connection>;
  readonly stop: () => Promise<void>;
}

const databaseIn = async (t: Test, file: string): Promise<Opened> => {
  const backend = sqliteBackend(systemClock(), {
    id: 'app:db',
    root: '/',
    file,
    acquireTimeoutMs: 30_000,
    busyTimeoutMs: 5000,
    stopTimeoutMs: 30_000,
    exitGuard: createExitGuard(),
  });
  await backend.start((error) => t.fail(error.message));
  t.teardown(() => backend.stop());
  const connect = () => backend.acquire(NEVER);
  return {
    file,
    connect,
    async run(text, params = []) {
      const connection = await connect();
      await connection.execute({ text, params, isPrepared: false }).finally(() => connection.release());
    },
    async open(options = {}) {
      if (backend.openChangeLog === undefined) throw new Error('no log');
      const log = await backend.openChangeLog({
        reader: 'app:source',
        isDurable: true,
        tables: undefined,
        wantsRows: false,
        troubled: (error) => error !== undefined && t.fail(error.message),
        ...options,
      });
      log.ended.catch(() => {});
      return log;
    },
    stop: () => backend.stop(),
  };
};

/** `i1` is 1, and so on; keys in the order of columns. */
const shown = (text: string | null): string =>
  text === null ? '-' : [JSON.parse(text)].flat().flatMap(Object.values).join(',');
const line = ({ op, table, before, after }: ChangeRow): string => `${op} ${table} ${shown(before)} ${shown(after)}`;
const linesOf = async (log: ChangeLog, after = 0): Promise<readonly string[]> =>
  (await log.read(after, 10_000)).map(line);

for (const isDurable of [false, true]) {
  const name = isDurable ? 'a durable log' : 'a log of the connection';
  const opened = async (t: Test, tables = ORDERS, options: Partial<ChangeLogOptions> = {}) => {
    const database = await databaseIn(t, `${t.testdir()}/app.db`);
    await database.run(tables);
    return { ...database, log: await database.open({ isDurable, ...options }) };
  };

  test(`${name}: inserts, updates and deletes, in their order, with rows before and after`, async (t) => {
    const { run, log } = await opened(t);
    await run(`INSERT INTO orders VALUES (1, 'a', 1), (2, NULL, 2); UPDATE orders SET name = 'c' WHERE id = 2`);
    await run('UPDATE orders SET id = 9 WHERE id = 1; DELETE FROM orders');
    t.same(await linesOf(log), [
      'insert orders - i1,ta,i1',
      'insert orders - i2,,i2',
      'update orders i2,,i2 i2,tc,i2',
      'update orders i1,ta,i1 i9,ta,i1',
      'delete orders i2,tc,i2 -',
      'delete orders i9,ta,i1 -',
    ]);
    t.ok(((await log.read(0, 1))[0]?.time ?? 0) > 1_700_000_000_000, 'milliseconds');
    t.equal((await log.read(2, 2)).length, 2, 'a part of it');
  });

  test(`${name}: what is rolled back leaves nothing, a savepoint alone too; nothing is seen before its commit`, async (t) => {
    const { run, log, connect } = await opened(t);
    const connection = await connect();
    const execute = (text: string) => connection.execute({ text, params: [], isPrepared: false });
    await connection.begin({ isolation: 'default', readOnly: false });
    await execute(`INSERT INTO orders VALUES (1, 'gone', 1)`);
    await connection.rollback();
    await connection.begin({ isolation: 'default', readOnly: false });
    await execute(
      `INSERT INTO orders VALUES (2, 'kept', 2); SAVEPOINT s; INSERT INTO orders VALUES (3, 'gone', 3); ROLLBACK TO s`,
    );
    t.same(await linesOf(log), [], 'not yet');
    let isTold = false;
    const changed = log.changed(0).then(() => {
      isTold = true;
    });
    t.equal(isTold, false);
    await connection.commit();
    connection.release();
    await changed;
    await run(`INSERT OR IGNORE INTO orders VALUES (2, 'ignored', 7)`);
    await t.rejects(run(`INSERT INTO orders VALUES (4, 'fine', 4), (2, 'not', 5)`));
    await run(`INSERT INTO orders VALUES (5, 'end', 5)`);
    t.same(await linesOf(log), ['insert orders - i2,tkept,i2', 'insert orders - i5,tend,i5']);
  });

  test(`${name}: rows that REPLACE deletes are deletes before the insert or update that replaces them`, async (t) => {
    const { run, log } = await opened(t);
    await run(`INSERT INTO orders VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`);
    const [, , last] = await log.read(0, 10);
    await run(`REPLACE INTO orders VALUES (1, 'A', 10)`);
    await run(`INSERT OR IGNORE INTO orders VALUES (9, 'ignored', 3)`);
    await run(`INSERT INTO orders VALUES (9, 'upsert', 3) ON CONFLICT (code) DO UPDATE SET name = excluded.name`);
    await run(`INSERT INTO orders VALUES (5, 'new', 5)`);
    await run(`REPLACE INTO orders VALUES (1, 'both', 2)`);
    await run(`UPDATE OR REPLACE orders SET code = 3 WHERE id = 5`);
    await run(`UPDATE orders SET name = 'same', code = code WHERE id = 5`);
    t.same(await linesOf(log, last?.seq), [
      'delete orders i1,ta,i1 -',
      'insert orders - i1,tA,i10',
      'update orders i3,tc,i3 i3,tupsert,i3',
      'insert orders - i5,tnew,i5',
      'delete orders i2,tb,i2 -',
      'delete orders i1,tA,i10 -',
      'insert orders - i1,tboth,i2',
      'delete orders i3,tupsert,i3 -',
      'update orders i5,tnew,i5 i5,tnew,i3',
      'update orders i5,tnew,i3 i5,tsame,i3',
    ]);
  });

  test(`${name}: with recursive triggers, which tell of replaced rows, they are told once`, async (t) => {
    const { run, log } = await opened(t);
    await run(`PRAGMA recursive_triggers = ON`);
    await run(`INSERT INTO orders VALUES (1, 'a', 1), (2, 'b', 2); REPLACE INTO orders VALUES (1, 'c', 2)`);
    t.same((await linesOf(log, 2)).toSorted(), [
      'delete orders i1,ta,i1 -',
      'delete orders i2,tb,i2 -',
      'insert orders - i1,tc,i2',
    ]);
  });

  test(`${name}: large rows are read part by part`, async (t) => {
    const { run, log } = await opened(t);
    for (let i = 0; i < 6; i += 1) await run('INSERT INTO orders (name) VALUES (?)', ['x'.repeat(1_500_000)]);
    t.equal((await log.read(0, 100)).length, 3);
    t.equal((await log.read(3, 100)).length, 3);
    t.equal(await log.changed(0), 6);
  });

  test(`${name}: values keep what they are`, async (t) => {
    const { run, log } = await opened(t, 'CREATE TABLE v (id INTEGER PRIMARY KEY, x)');
    const doubles = [0.1, 1e300, 5e-324, -0, 1 / 3, 123456789012345680000, Number.MAX_VALUE];
    const values: SqlParam[] = [
      9223372036854775807n,
      -9007199254740993n,
      '',
      'it\'s "a" \\ \n',
      'a\0b',
      'öß€😀',
      ...doubles,
    ];
    for (const value of values) await run('INSERT INTO v (x) VALUES (?)', [value]);
    await run('INSERT INTO v (x) VALUES (?)', [new Uint8Array([0, 255, 16])]);
    await run('INSERT INTO v (x) VALUES (9e999), (-9e999)');
    const found = (await log.read(0, 100)).map(({ after }) => JSON.parse(after ?? '').x as string);
    t.same(found.slice(0, 6), [
      'i9223372036854775807',
      'i-9007199254740993',
      't',
      `tit's "a" \\ \n`,
      'ta\0b',
      'töß€😀',
    ]);
    t.same(
      found.slice(6, 13).map((one) => (one.startsWith('r') ? Number(one.slice(1)) : one)),
      doubles,
    );
    t.same(found.slice(13), ['b00FF10', 'rInf', 'r-Inf']);
  });

  test(`${name}: tables of every kind: without rowid, without a key, wide, generated columns, odd names`, async (t) => {
    const wide = Array.from({ length: 150 }, (_, i) => `c${i}`);
    const { run, log } = await opened(
      t,
      `CREATE TABLE w (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID; CREATE TABLE plain (a, rowid); CREATE TABLE wide (${wide.join(', ')});
       CREATE TABLE g (a, doubled AS (a * 2), stored AS (a + 1) STORED); CREATE TABLE "it's ""odd""" ("__proto__", "a b", "select" PRIMARY KEY);
       CREATE TABLE strict (a INTEGER, b TEXT) STRICT; CREATE VIRTUAL TABLE search USING fts5(a); CREATE VIEW seen AS SELECT * FROM plain`,
    );
    await run(`INSERT INTO w VALUES (1, 'x'); UPDATE w SET a = 2; REPLACE INTO w VALUES (2, 'x'); INSERT INTO plain VALUES (1, 2);
      INSERT INTO g (a) VALUES (5); INSERT INTO "it's ""odd""" VALUES (1, 2, 3); REPLACE INTO "it's ""odd""" VALUES (4, 5, 3);
      INSERT INTO strict VALUES (1, 'b'); INSERT INTO search VALUES ('x')`);
    await run(`INSERT INTO wide VALUES (${wide.map((_, i) => i).join(', ')})`);
    const lines = await linesOf(log);
    t.same(lines.slice(0, -1), [
      'insert w - i1,tx',
      'update w i1,tx i2,tx',
      'delete w i2,tx -',
      'insert w - i2,tx',
      'insert plain - i1,i2',
      'insert g - i5,i10,i6',
      `insert it's "odd" - i1,i2,i3`,
      `delete it's "odd" i1,i2,i3 -`,
      `insert it's "odd" - i4,i5,i3`,
      'insert strict - i1,tb',
    ]);
    t.equal(lines.at(-1), `insert wide - ${wide.map((_, i) => `i${i}`).join(',')}`);
    t.same((await log.shapes()).find(({ table }) => table === 'w')?.primaryKey, ['b', 'a']);
  });

  test(`${name}: the schema may change under it, also within a transaction and one text`, async (t) => {
    const { run, log, connect } = await opened(t);
    await run(
      `INSERT INTO orders VALUES (1, 'a', 1); ALTER TABLE orders ADD COLUMN more DEFAULT 5; INSERT INTO orders VALUES (2, 'b', 2, 6)`,
    );
    await run('ALTER TABLE orders DROP COLUMN name; INSERT INTO orders VALUES (3, 3, 7)');
    await run('ALTER TABLE orders RENAME COLUMN more TO most; INSERT INTO orders VALUES (4, 4, 8)');
    t.same(Object.keys(JSON.parse((await log.read(0, 9)).at(-1)?.after ?? '')), ['id', 'code', 'most']);
    await run(
      'ALTER TABLE orders RENAME TO old; CREATE TABLE orders (x); INSERT INTO orders VALUES (1); INSERT INTO old VALUES (5, 5, 9)',
    );
    await run('DROP TABLE old; CREATE TABLE fresh (x); INSERT INTO fresh VALUES (1)');
    const connection = await connect();
    await connection.begin({ isolation: 'default', readOnly: false });
    const execute = (text: string) => connection.execute({ text, params: [], isPrepared: false });
    await execute('ALTER TABLE fresh ADD COLUMN y; INSERT INTO fresh VALUES (2, 2)');
    await connection.rollback();
    connection.release();
    await run('INSERT INTO fresh VALUES (3)');
    t.same(await linesOf(log), [
      'insert orders - i1,ta,i1',
      'insert orders - i2,tb,i2,i6',
      'insert orders - i3,i3,i7',
      'insert orders - i4,i4,i8',
      'insert orders - i1',
      'insert old - i5,i5,i9',
      'insert fresh - i1',
      'insert fresh - i3',
    ]);
    await t.rejects(run('ALTER TABLE fresh DROP COLUMN absent'), { message: /no such column: "?absent/ });
  });

  test(`${name}: what triggers of the app do comes behind its cause; rows that a foreign key deletes come before theirs`, async (t) => {
    const { run, log } = await opened(
      t,
      `${ORDERS}; CREATE TABLE items (id INTEGER PRIMARY KEY, order_id REFERENCES orders ON DELETE CASCADE);
       CREATE TRIGGER early AFTER INSERT ON orders BEGIN UPDATE orders SET name = NEW.name || '!' WHERE id = NEW.id; END`,
    );
    await run(`PRAGMA foreign_keys = ON`);
    await run(`CREATE TRIGGER late AFTER UPDATE ON Orders BEGIN INSERT INTO items VALUES (NULL, NEW.id); END`);
    await run(`INSERT INTO orders VALUES (1, 'a', 1)`);
    await run('DELETE FROM orders');
    t.same(await linesOf(log), [
      'insert orders - i1,ta,i1',
      'update orders i1,ta,i1 i1,ta!,i1',
      'insert items - i1,i1',
      'delete items i1,i1 -',
      'delete orders i1,ta!,i1 -',
    ]);
  });

  test(`${name}: the results of the app's statements are as without it`, async (t) => {
    const { log, connect } = await opened(t);
    const connection = await connect();
    t.teardown(() => connection.release());
    const execute = (text: string) => connection.execute({ text, params: [], isPrepared: false });
    t.same(await execute(`INSERT INTO orders VALUES (41, 'a', 1), (42, 'b', 2)`), {
      lastInsertId: 42,
      rowsAffected: 2,
    });
    t.same((await execute(`UPDATE orders SET name = 'x'`)).rowsAffected, 2);
    t.same((await execute('SELECT 1')).rowsAffected, 0);
    t.same((await execute('CREATE TABLE z (a)')).rowsAffected, 0);
    t.same(
      (await connection.query({ text: 'SELECT changes(), last_insert_rowid()', params: [], isPrepared: false })).rows,
      [[2, 42]],
    );
    t.equal((await log.read(0, 10)).length, 4);
  });

  test(`${name}: tables choose, two readers share it, and it forgets what both have handled`, async (t) => {
    const { run, log, open } = await opened(t, `${ORDERS}; CREATE TABLE other (id); CREATE TABLE third (id)`, {
      tables: ['orders'],
    });
    const second = await open({ isDurable, reader: 'app:second', tables: ['main.other'] });
    await run(`INSERT INTO orders VALUES (1, 'a', 1); INSERT INTO other VALUES (2); INSERT INTO third VALUES (3)`);
    t.same(await linesOf(second), ['insert orders - i1,ta,i1', 'insert other - i2']);
    await log.keep(2);
    t.equal((await linesOf(log)).length, 2, 'the second has not handled them');
    await second.keep(1);
    t.same(await linesOf(log), ['insert other - i2']);
    t.equal(await log.retained(1), '{"id":"i2"}'.length);
    await second.keep(2);
    t.same(await linesOf(log), []);
    t.equal(await log.retained(0), 0);
    await run(`INSERT INTO other VALUES (4)`);
    t.equal((await log.read(0, 10))[0]?.seq, 3, 'numbers never come again');
  });

  test(`${name}: rows as of one moment`, async (t) => {
    const { run, log } = await opened(t, `${ORDERS}; CREATE TABLE other (id)`);
    await run(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) INSERT INTO orders SELECT i, 'there', i FROM n`,
    );
    const seen: string[] = [];
    const position = await log.rows(
      ['orders'],
      async (table, row) => {
        if (seen.length === 10) await run(`UPDATE orders SET name = 'later'; DELETE FROM orders WHERE id > 600`);
        seen.push(`${table} ${shown(row)}`);
      },
      NEVER,
    );
    t.equal(seen.length, 1200);
    t.ok(seen.every((one) => one.includes('tthere')));
    t.equal(position, 1200);
    t.equal((await log.read(position, 5000)).length, 1800, 'what came meanwhile is behind it');
    await t.rejects(
      log.rows(['orders'], () => {}, AbortSignal.abort(new Error('enough'))),
      { message: 'enough' },
    );
  });

  test(`${name}: a transaction tells in which trace it is made, while somebody reads`, async (t) => {
    const { log, connect, run } = await opened(t);
    const connection = await connect();
    const execute = (text: string) => connection.execute({ text, params: [], isPrepared: false });
    for (const end of ['commit', 'rollback', 'commit'] as const) {
      await connection.begin({ isolation: 'default', readOnly: false });
      await connection.mark?.(`trace ${end}`);
      await execute(`INSERT INTO orders (name) VALUES ('a'), ('b')`);
      await connection[end]();
    }
    connection.release();
    await run(`INSERT INTO orders (name) VALUES ('c')`);
    const found = await log.read(0, 100);
    t.same(
      found.map(({ seq, op, after, until }) => [seq, op, op === 'trace' && [after, until]]),
      [
        [1, 'trace', ['trace commit', 3]],
        [2, 'insert', false],
        [3, 'insert', false],
        [4, 'trace', ['trace commit', 6]],
        [5, 'insert', false],
        [6, 'insert', false],
        [7, 'insert', false],
      ],
    );
    await log.close();
    await poll('nobody reads', async () => {
      const later = await connect();
      later.release();
      return later.mark === undefined;
    });
  });

  test(`${name}: a transaction that a statement has begun is not ended by it`, async (t) => {
    const { run, log, open } = await opened(t);
    await run('BEGIN');
    await run(`INSERT INTO orders VALUES (1, 'a', 1)`);
    await t.rejects(log.keep(1), { message: /a transaction is open/ });
    await t.rejects(open({ isDurable, reader: 'x' }), { message: /a transaction is open/ });
    await run('COMMIT');
    t.equal((await linesOf(log)).length, 1);
    await log.keep(1);
  });
}

test('a log of the connection: nothing stays in the file, and closing it ends the capture', async (t) => {
  const database = await databaseIn(t, `${t.testdir()}/app.db`);
  await database.run(ORDERS);
  const log = await database.open({ isDurable: false });
  await database.run(`INSERT INTO orders VALUES (1, 'a', 1)`);
  const inFile = () => {
    const other = new DatabaseSync(database.file);
    const found = other.prepare(`SELECT name FROM sqlite_schema WHERE name LIKE 'perilune%'`).all();
    other.close();
    return found;
  };
  t.same(inFile(), []);
  await log.close();
  await log.close();
  await t.rejects(log.ended, { message: 'the change log is closed' });
  const connection = await database.connect();
  const triggers = `SELECT count(*) FROM temp.sqlite_schema WHERE type = 'trigger'`;
  t.same((await connection.query({ text: triggers, params: [], isPrepared: false })).rows, [[0]]);
  connection.release();
  const durable = await database.open();
  t.ok(inFile().length > 0, 'a durable one is in the file');
  const again = await database.open({ isDurable: false });
  t.not(again.generation, log.generation);
  await durable.close();
});

test('a log in memory: rows and changes', async (t) => {
  const database = await databaseIn(t, ':memory:');
  await database.run(`${ORDERS}; INSERT INTO orders VALUES (1, 'a', 1)`);
  const log = await database.open({ isDurable: false });
  await database.run(`INSERT INTO orders VALUES (2, 'b', 2)`);
  t.same(await linesOf(log), ['insert orders - i2,tb,i2']);
  const rows: string[] = [];
  const position = await log.rows(['orders'], (_table, row) => void rows.push(shown(row)), NEVER);
  t.same([rows, position], [['i1,ta,i1', 'i2,tb,i2'], 1]);
  await t.rejects(database.open(), { kind: 'Invalid', message: /needs a database in a file: app:db is :memory:/ });
});

test('a durable log: the cursor, the changes and what is owed outlive the program', async (t) => {
  const file = `${t.testdir()}/app.db`;
  const first = await databaseIn(t, file);
  await first.run(ORDERS);
  const log = await first.open({ wantsRows: true });
  t.equal(log.owesRows, true);
  await first.run(`INSERT INTO orders VALUES (1, 'a', 1), (2, 'b', 2)`);
  await first.stop();

  const second = await databaseIn(t, file);
  await second.run(`INSERT INTO orders VALUES (3, 'c', 3)`); // before anybody asks for it
  const again = await second.open({ wantsRows: true });
  t.equal(again.owesRows, true, 'still');
  t.same([again.generation, again.position], [log.generation, 0]);
  t.equal((await linesOf(again)).length, 3);
  await again.keep(2);
  await second.stop();

  const third = await databaseIn(t, file);
  const last = await third.open({ wantsRows: true });
  t.same([last.position, last.owesRows], [2, false]);
  t.same(await linesOf(last, last.position), ['insert orders - i3,tc,i3']);
  await third.open({ isDurable: false });
  const connection = await third.connect();
  const left = await connection.query({
    text: `SELECT (SELECT count(*) FROM perilune_cdc_sources), (SELECT count(*) FROM perilune_cdc_changes),
      (SELECT count(*) FROM main.sqlite_schema WHERE type = 'trigger')`,
    params: [],
    isPrepared: false,
  });
  t.same(left.rows, [[0, 0, 0]], 'an entry that is no longer durable gives its place back');
  connection.release();
});

test('a durable log: other programs are seen, whatever their SQLite, and may change the schema', async (t) => {
  const file = `${t.testdir()}/app.db`;
  const database = await databaseIn(t, file);
  await database.run(ORDERS);
  // While another program writes, a look may find the database locked: that is told, and it looks again.
  const troubled = (error?: Error): void => {
    if (error !== undefined) t.match(error.message, /database is locked/);
  };
  const log = await database.open({ troubled });
  const other = new DatabaseSync(file, { timeout: 5000 });
  t.teardown(() => other.close());
  const changed = log.changed(0);
  other.exec(`INSERT INTO orders VALUES (1, 'a', 1); REPLACE INTO orders VALUES (1, 1.5, 1)`);
  await changed;
  t.same(await linesOf(log), ['insert orders - i1,ta,i1', 'delete orders i1,ta,i1 -', 'insert orders - i1,r1.5,i1']);
  other.exec('ALTER TABLE orders ADD COLUMN more; CREATE TABLE fresh (x)');
  await poll('the new column is seen', async () => {
    other.exec(`INSERT INTO orders (name, more) VALUES ('b', 5)`);
    return (await linesOf(log)).some((one) => one.includes(',i5'));
  });
  other.exec('INSERT INTO fresh VALUES (1)');
  await poll('the new table', async () => (await linesOf(log)).includes('insert fresh - i1'));
  const temporary = await database.open({ isDurable: false, reader: 'app:temporary', troubled });
  other.exec(`DROP TRIGGER perilune_cdc_after_insert_orders; DROP TRIGGER perilune_cdc_after_update_orders; DROP TRIGGER perilune_cdc_after_delete_orders;
    DROP TRIGGER perilune_cdc_before_insert_orders; DROP TRIGGER perilune_cdc_before_update_orders; ALTER TABLE orders DROP COLUMN more`);
  await database.run(`INSERT INTO orders (id, name, code) VALUES (50, 'after', 50)`);
  t.same(
    await linesOf(temporary, temporary.position),
    ['insert orders - i50,tafter,i50'],
    'a trigger of ours that no longer fits breaks no write',
  );
});

test('a durable log: the command line of SQLite writes it too', {
  skip: sqliteShell() === undefined && 'no sqlite3',
}, async (t) => {
  const file = `${t.testdir()}/app.db`;
  const database = await databaseIn(t, file);
  await database.run(ORDERS);
  const log = await database.open();
  execFileSync(SHELL, [file, `INSERT INTO orders VALUES (1, 0.1, x'00ff'); UPDATE orders SET name = NULL`]);
  await log.changed(0);
  t.same(await linesOf(log), [
    'insert orders - i1,r0.10000000000000001,b00FF',
    'update orders i1,r0.10000000000000001,b00FF i1,,b00FF',
  ]);
});

function sqliteShell(): string | undefined {
  try {
    return execFileSync(SHELL, ['--version'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

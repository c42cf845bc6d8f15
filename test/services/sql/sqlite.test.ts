import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { CallError } from '../../../runtime/errors.ts';
import { sqliteBackend } from '../../../services/sql/sqlite/backend.ts';
import { createExitGuard } from '../../../services/sql/sqlite/exit-guard.ts';
import { direct, sqlContract } from './contract.ts';

const NEVER = new AbortController().signal;
const folder = (t: Test): string => {
  const path = mkdtempSync(`${tmpdir()}/perilune-sqlite-`);
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
};
const backendOf = (root: string, file: string, acquireTimeoutMs = 30_000, busyTimeoutMs = 30_000) =>
  sqliteBackend(systemClock(), {
    id: 'app:db',
    root,
    file,
    acquireTimeoutMs,
    busyTimeoutMs,
    stopTimeoutMs: 30_000,
    exitGuard: createExitGuard(),
  });

const common = {
  placeholder: () => '?',
  size: 1,
  types: { double: 'real', bytes: 'blob', moment: 'timestamp', boolean: 'boolean' },
  slow: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n',
} as const;
sqlContract('sqlite, in a file', { ...common, make: (t, ms) => backendOf(folder(t), 'data.db', ms) });
sqlContract('sqlite, in memory', { ...common, make: (_t, ms) => backendOf('/', ':memory:', ms) });

test('a file has a write-ahead journal, is relative to the root, and keeps what a stop left', async (t) => {
  const root = folder(t);
  const backend = backendOf(root, 'data.db');
  await backend.start(() => {});
  const connection = await backend.acquire(NEVER);
  t.same((await connection.query(direct('PRAGMA journal_mode'))).rows, [['wal']]);
  t.same((await connection.execute(direct('CREATE TABLE a (n integer)'))).rowsAffected, 0);
  t.same(await connection.execute(direct('INSERT INTO a VALUES (4), (5)')), { lastInsertId: 2, rowsAffected: 2 });
  connection.release();
  await backend.stop();
  const other = new DatabaseSync(`${root}/data.db`);
  t.equal(other.prepare('SELECT count(*) AS n FROM a').get()?.n, 2);
  other.close();
});

test('data in memory live as long as the service', async (t) => {
  const backend = backendOf('/', ':memory:');
  await backend.start(() => {});
  let connection = await backend.acquire(NEVER);
  await connection.execute(direct('CREATE TABLE a (n integer)'));
  connection.release();
  connection = await backend.acquire(NEVER);
  t.same((await connection.query(direct('SELECT * FROM a'))).rows, []);
  connection.release();
  await backend.stop();
  await backend.start(() => {});
  connection = await backend.acquire(NEVER);
  await t.rejects(connection.query(direct('SELECT * FROM a')), /no such table/);
  connection.release();
  await backend.stop();
});

test('after a rollback of SQLite itself nothing is written outside of the transaction', async (t) => {
  const backend = backendOf('/', ':memory:');
  await backend.start(() => {});
  t.teardown(() => backend.stop());
  let connection = await backend.acquire(NEVER);
  await connection.execute(direct('CREATE TABLE a (n integer PRIMARY KEY)'));
  await connection.execute(direct('INSERT INTO a VALUES (1)'));
  await connection.begin({ isolation: 'default', readOnly: false });
  await connection.execute(direct('INSERT INTO a VALUES (2)'));
  await t.rejects(connection.execute(direct('INSERT OR ROLLBACK INTO a VALUES (1)')), /UNIQUE constraint failed/);
  const message = 'transaction is not active: a statement has ended it, or SQLite has rolled it back';
  await t.rejects(connection.execute(direct('INSERT INTO a VALUES (3)')), { kind: 'Invalid', message });
  await t.rejects(connection.query(direct('SELECT n FROM a')), { message });
  await t.rejects(connection.execute(direct('SAVEPOINT s')), { message });
  await t.rejects(connection.commit(), { kind: 'Invalid', message });
  connection.release();
  connection = await backend.acquire(NEVER);
  t.same((await connection.query(direct('SELECT n FROM a'))).rows, [[1]]);
  connection.release();
});

test("another program's lock is waited for, within a bound", async (t) => {
  const root = folder(t);
  const backend = backendOf(root, 'data.db', 30_000, 200);
  await backend.start(() => {});
  t.teardown(() => backend.stop());
  const connection = await backend.acquire(NEVER);
  await connection.execute(direct('CREATE TABLE a (n integer)'));
  const other = new DatabaseSync(`${root}/data.db`);
  other.exec('BEGIN IMMEDIATE');
  const error = await connection.execute(direct('INSERT INTO a VALUES (1)')).catch((thrown: unknown) => thrown);
  t.ok(error instanceof CallError);
  t.match(error, { kind: 'Timeout', retryable: true, message: /locked/ });
  other.exec('COMMIT');
  other.close();
  t.equal((await connection.execute(direct('INSERT INTO a VALUES (1)'))).rowsAffected, 1);
  connection.release();
});

test('named and numbered parameters take the values by place', async (t) => {
  const backend = backendOf('/', ':memory:');
  await backend.start(() => {});
  t.teardown(() => backend.stop());
  const connection = await backend.acquire(NEVER);
  for (const text of ['SELECT ?1, ?2', 'SELECT :a, :b', 'SELECT @p1, @p2', "SELECT $a, $b -- :c ':d'"]) {
    t.same((await connection.query(direct(text, [1n, 'two']))).rows, [[1, 'two']], text);
  }
  await t.rejects(connection.query(direct('SELECT ?', [1n, 2n])), /out of range/);
  connection.release();
});

test('a file that cannot be opened fails the start with its reason', async (t) => {
  const root = folder(t);
  const backend = backendOf(root, 'none/data.db');
  const message = `${root}/none/data.db: unable to open database file. Its folder does not exist: create it.`;
  await t.rejects(
    backend.start(() => {}),
    { kind: 'Unavailable', message },
  );
  await backend.stop();
  writeFileSync(`${root}/text.db`, 'no database at all, and long enough to be told from an empty one');
  await t.rejects(
    backendOf(root, 'text.db').start(() => {}),
    { kind: 'Internal', retryable: false, message: `${root}/text.db: file is not a database` },
  );
});

test('who waits for a statement that nobody wants any more is told so', async (t) => {
  const backend = backendOf('/', ':memory:', 50);
  await backend.start(() => {});
  t.teardown(() => backend.stop());
  const connection = await backend.acquire(NEVER);
  const inUse = 'no connection to app:db was free within 50 ms: 1 of 1 is in use';
  await t.rejects(backend.acquire(NEVER), { kind: 'Unavailable', retryable: true, message: inUse });
  const slow = connection.query(direct(common.slow));
  connection.abandon();
  const message = `${inUse} by a statement that goes on although its caller has given up; SQLite cannot interrupt it`;
  await t.rejects(backend.acquire(NEVER), { kind: 'Unavailable', retryable: true, message });
  await slow;
  const next = await backend.acquire(NEVER);
  await t.rejects(backend.acquire(NEVER), { message: inUse });
  next.release();
});

test('the guard of the exit has one listener, while something is watched', (t) => {
  const before = process.listenerCount('exit');
  const guard = createExitGuard(() => t.fail('nothing was busy'));
  const letGo = [guard.watch(() => false), guard.watch(() => false)];
  t.equal(process.listenerCount('exit'), before + 1);
  for (const one of letGo) one();
  t.equal(process.listenerCount('exit'), before);
  t.end();
});

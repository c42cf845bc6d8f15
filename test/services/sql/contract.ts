import { type Test, test } from 'tap';
import { CallError, type ErrorKind } from '../../../runtime/errors.ts';
import type { Connection, Rows, SqlBackend, SqlParam, Statement } from '../../../services/sql/driver.ts';
import { poll } from '../../harness/poll.ts';

export interface BackendUnderTest {
  /** A fresh database, not started; who waits for a connection waits so many milliseconds at most. */
  make(t: Test, acquireTimeoutMs: number): Promise<SqlBackend> | SqlBackend;
  /** Placeholder `n`. */
  readonly placeholder: (n: number) => string;
  /** Connections that a user may hold at once. */
  readonly size: number;
  /** Names of types. */
  readonly types: Readonly<Record<'double' | 'bytes' | 'moment' | 'boolean', string>>;
  /** A statement that takes seconds. */
  readonly slow: string;
}

const NEVER = new AbortController().signal;
const LONG_MS = 30_000;

export const direct = (text: string, params: readonly SqlParam[] = []): Statement => ({
  text,
  params,
  isPrepared: false,
});
const records = ({ columns, rows }: Rows) =>
  rows.map((row) => Object.fromEntries(row.map((cell, i) => [columns[i], cell ?? undefined])));

/** What every backend must do, whatever is behind it: one suite for all (architecture.md, "A surface is one folder"). */
export const sqlContract = (name: string, under: BackendUnderTest, skip: false | string = false): void => {
  const { types } = under;
  const check = (what: string, body: (t: Test) => Promise<void>) => test(`${name}: ${what}`, { skip }, body);
  const started = async (t: Test, acquireTimeoutMs = LONG_MS): Promise<SqlBackend> => {
    const backend = await under.make(t, acquireTimeoutMs);
    await backend.start((error) => t.fail(`ended by itself: ${error.message}`));
    t.teardown(() => backend.stop());
    return backend;
  };
  const fails = async (t: Test, work: Promise<unknown>, kind: ErrorKind, message: RegExp, retryable?: boolean) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.ok(error instanceof CallError, `a CallError: ${String(error)}`);
    if (!(error instanceof CallError)) return;
    t.match(error.message, message);
    t.equal(error.kind, kind, error.message);
    if (retryable !== undefined) t.equal(error.retryable, retryable, `${error.message}: retryable`);
  };
  const table = async (connection: Connection): Promise<void> => {
    await connection.execute(direct('CREATE TABLE notes (id integer PRIMARY KEY, body text)'));
  };
  const count = async (connection: Connection): Promise<unknown> =>
    records(await connection.query(direct('SELECT count(*) AS n FROM notes')))[0]?.n;

  check('what was written is read, direct and prepared', async (t) => {
    const backend = await started(t);
    const connection = await backend.acquire(NEVER);
    await table(connection);
    const insert = `INSERT INTO notes (id, body) VALUES (${under.placeholder(1)}, ${under.placeholder(2)})`;
    t.equal((await connection.execute(direct(insert, [1n, 'one']))).rowsAffected, 1);
    await connection.prepare(insert);
    for (const id of [2n, 3n]) {
      t.equal((await connection.execute({ text: insert, params: [id, null], isPrepared: true })).rowsAffected, 1);
    }
    t.same(records(await connection.query(direct('SELECT id, body FROM notes ORDER BY id'))), [
      { id: 1, body: 'one' },
      { id: 2, body: undefined },
      { id: 3, body: undefined },
    ]);
    t.equal((await connection.execute(direct("UPDATE notes SET body = 'x'"))).rowsAffected, 3);
    t.same((await connection.query(direct("UPDATE notes SET body = 'y'"))).rows, [], 'no result set, no rows');
    t.equal((await connection.execute(direct('CREATE TABLE other (n integer)'))).rowsAffected, 0);
    connection.release();
  });

  check('every value keeps what it is', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await connection.execute(
      direct(
        `CREATE TABLE kept (big bigint, real_ ${types.double}, body text, bin ${types.bytes}, at ${types.moment}, ok ${types.boolean})`,
      ),
    );
    const places = [1, 2, 3, 4, 5, 6].map(under.placeholder).join(', ');
    const bytes = new Uint8Array([0, 255, 1, 0x61]);
    const rows: SqlParam[][] = [
      [2n ** 53n - 1n, 1.5, 'ä\n', bytes, '2024-02-29 23:59:59.123456', true],
      [2n ** 63n - 1n, 0.1 + 0.2, '', new Uint8Array(), '2024-01-01 00:00:00', false],
      [-(2n ** 63n), 5e-324, "it's", bytes, '1969-12-31 23:59:59.000001', true],
      [null, null, null, null, null, null],
    ];
    for (const row of rows) await connection.execute(direct(`INSERT INTO kept VALUES (${places})`, row));
    const [a, b, c, d] = (await connection.query(direct('SELECT * FROM kept'))).rows;
    const plain = (row: Rows['rows'][number] | undefined) =>
      row?.map((cell) => (cell instanceof Uint8Array ? [...cell] : (cell ?? undefined)));
    t.strictSame(plain(a), [2 ** 53 - 1, 1.5, 'ä\n', [...bytes], '2024-02-29T23:59:59.123456Z', true]);
    t.strictSame(plain(b), ['9223372036854775807', 0.1 + 0.2, '', [], '2024-01-01T00:00:00Z', false]);
    t.strictSame(plain(c), ['-9223372036854775808', 5e-324, "it's", [...bytes], '1969-12-31T23:59:59.000001Z', true]);
    t.strictSame(
      plain(d),
      Array.from({ length: 6 }, () => undefined),
    );
    connection.release();
  });

  check('an integral number in a text column has no fraction', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await table(connection);
    await connection.execute(direct(`INSERT INTO notes VALUES (1, ${under.placeholder(1)})`, [5n]));
    t.same(records(await connection.query(direct('SELECT body FROM notes'))), [{ body: '5' }]);
    connection.release();
  });

  check('several statements in one text', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await connection.execute(
      direct(`CREATE TABLE a (n integer); -- one; two
              INSERT INTO a VALUES (1);
              INSERT INTO a VALUES (2), (3); `),
    );
    t.same(records(await connection.query(direct('SELECT count(*) AS n FROM a; SELECT max(n) AS m FROM a;'))), [
      { m: 3 },
    ]);
    connection.release();
  });

  check('an error has the words of the database and leaves the connection usable', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await fails(t, connection.query(direct('SELEC 1')), 'Internal', /syntax error/, false);
    await fails(t, connection.prepare('SELEC 1'), 'Internal', /syntax error/);
    await fails(t, connection.query(direct('SELECT * FROM nowhere')), 'Internal', /nowhere/);
    await table(connection);
    await connection.execute(direct('INSERT INTO notes (id) VALUES (1)'));
    await fails(t, connection.execute(direct('INSERT INTO notes (id) VALUES (1)')), 'Internal', /unique/i);
    t.equal(await count(connection), 1);
    connection.release();
  });

  check('a prepared statement sees a changed table', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await table(connection);
    await connection.execute(direct('INSERT INTO notes (id) VALUES (1)'));
    const all: Statement = { text: 'SELECT * FROM notes', params: [], isPrepared: true };
    t.same((await connection.query(all)).columns, ['id', 'body']);
    await connection.execute(direct('ALTER TABLE notes ADD COLUMN more text'));
    t.same((await connection.query(all)).columns, ['id', 'body', 'more']);
    connection.release();
  });

  check('a commit keeps, a rollback forgets, and a release in between rolls back', async (t) => {
    const backend = await started(t);
    const first = await backend.acquire(NEVER);
    await table(first);
    await first.begin({ isolation: 'default', readOnly: false });
    await first.execute(direct('INSERT INTO notes (id) VALUES (1)'));
    await first.commit();
    await first.begin({ isolation: 'serializable', readOnly: false });
    await first.execute(direct('INSERT INTO notes (id) VALUES (2)'));
    t.equal(await count(first), 2, 'its own changes are seen inside');
    await first.rollback();
    t.equal(await count(first), 1);
    await first.begin({ isolation: 'read_committed', readOnly: false });
    await first.execute(direct('INSERT INTO notes (id) VALUES (3)'));
    first.release();
    first.release();

    const second = await backend.acquire(NEVER);
    t.equal(await count(second), 1, 'nobody committed the third');
    await second.begin({ isolation: 'default', readOnly: true });
    await fails(t, second.execute(direct('INSERT INTO notes (id) VALUES (4)')), 'Internal', /read-?only/i);
    await second.rollback();
    await second.execute(direct('INSERT INTO notes (id) VALUES (5)'));
    t.equal(await count(second), 2, 'read only was this transaction');
    second.release();
  });

  check('savepoints nest', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await table(connection);
    await connection.begin({ isolation: 'default', readOnly: false });
    for (const text of [
      'INSERT INTO notes (id) VALUES (1)',
      'SAVEPOINT "a"',
      'INSERT INTO notes (id) VALUES (2)',
      'SAVEPOINT "b"',
      'INSERT INTO notes (id) VALUES (3)',
      'ROLLBACK TO SAVEPOINT "b"',
      'RELEASE SAVEPOINT "a"',
    ])
      await connection.execute(direct(text));
    await connection.commit();
    t.equal(await count(connection), 2);
    connection.release();
  });

  for (const [ending, left] of [
    ['COMMIT', 1],
    ['ROLLBACK', 0],
  ] as const) {
    check(`after a statement \`${ending}\` nothing is run outside of the transaction`, async (t) => {
      const connection = await (await started(t)).acquire(NEVER);
      await table(connection);
      const insert = 'INSERT INTO notes (id) VALUES (2)';
      const over = (work: Promise<unknown>) => fails(t, work, 'Invalid', /^transaction is not active: /, false);
      for (const last of ['commit', 'rollback'] as const) {
        await connection.execute(direct('DELETE FROM notes'));
        await connection.begin({ isolation: 'default', readOnly: false });
        await connection.execute(direct('INSERT INTO notes (id) VALUES (1)'));
        await connection.execute(direct(ending));
        // Asked for at once, as coroutines that share a transaction do, and one after the other.
        await Promise.all([over(connection.execute(direct(insert))), over(connection.query(direct('SELECT 1')))]);
        await over(connection.execute({ text: insert, params: [], isPrepared: true }));
        await over(connection.execute(direct('SAVEPOINT s')));
        await over(connection[last]());
        t.equal(await count(connection), left, `what ${ending} has left, and the connection goes on`);
      }
      connection.release();
    });
  }

  check('a statement that begins another transaction goes on in it', async (t) => {
    const connection = await (await started(t)).acquire(NEVER);
    await table(connection);
    await connection.begin({ isolation: 'default', readOnly: false });
    await connection.execute(direct('INSERT INTO notes (id) VALUES (1)'));
    await connection.execute(direct('COMMIT; BEGIN'));
    await connection.execute(direct('INSERT INTO notes (id) VALUES (2)'));
    await connection.rollback();
    t.equal(await count(connection), 1);
    connection.release();
  });

  check('who waits is served when one is free, and refused in time when none is', async (t) => {
    const backend = await started(t, 500);
    const held = await Promise.all(Array.from({ length: under.size }, () => backend.acquire(NEVER)));
    t.match(backend.state(), { used: under.size, idle: 0 });
    await fails(t, backend.acquire(NEVER), 'Unavailable', /no connection to .* was free within 500 ms/, true);
    const waiting = backend.acquire(NEVER);
    held[0]?.release();
    const served = await waiting;
    t.equal((await served.query(direct('SELECT 1 AS n'))).rows[0]?.[0], 1);

    const leaving = new AbortController();
    const left = backend.acquire(leaving.signal);
    leaving.abort(new CallError('gone', { kind: 'Canceled' }));
    await fails(t, left, 'Canceled', /gone/);
    for (const connection of [served, ...held]) connection.release();
    await poll('all are back', () => backend.state().used === 0);
    (await backend.acquire(NEVER)).release();
  });

  check('a slow statement stops neither the program nor, when it is abandoned, the pool', async (t) => {
    const backend = await started(t);
    const connection = await backend.acquire(NEVER);
    const slow = connection.query(direct(under.slow)).catch((error: unknown) => error);
    let turns = 0;
    await poll('the event loop turns', () => {
      turns += 1;
      return turns > 5;
    });
    connection.abandon();
    const next = await backend.acquire(NEVER);
    t.equal((await next.query(direct('SELECT 1 AS n'))).rows[0]?.[0], 1);
    next.release();
    await slow;
  });

  check('it answers from its start to its stop', async (t) => {
    const backend = await under.make(t, LONG_MS);
    await backend.stop();
    await fails(t, backend.acquire(NEVER), 'Unavailable', /database is not running: /, true);
    await backend.start(() => {});
    (await backend.acquire(NEVER)).release();
    await backend.stop();
    await backend.stop();
    await fails(t, backend.acquire(NEVER), 'Unavailable', /database is not running: /, true);
    t.match(backend.state(), { used: 0, idle: 0 });
    await backend.start(() => {});
    (await backend.acquire(NEVER)).release();
    await backend.stop();
  });
};

import { t as root, type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { CallError } from '../../../runtime/errors.ts';
import type { SqlBackend, Statement } from '../../../services/sql/driver.ts';
import { type PostgresOptions, postgresBackend } from '../../../services/sql/postgres/backend.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';
import { direct, sqlContract } from './contract.ts';

const NEVER = new AbortController().signal;
const server = await startPostgres(root);
const skip = server === undefined && POSTGRES_MISSING;

const optionsOf = (at: Postgres, more: Partial<PostgresOptions> = {}): PostgresOptions => ({
  id: 'app:db',
  address: () => at,
  options: {},
  root: '/',
  maxOpen: 3,
  maxIdle: 0,
  maxLifetimeMs: 3_600_000,
  acquireTimeoutMs: 30_000,
  stopTimeoutMs: 30_000,
  ...more,
});
const fresh = async (more: Partial<PostgresOptions> = {}): Promise<{ at: Postgres; backend: SqlBackend }> => {
  if (server === undefined) throw new Error(POSTGRES_MISSING);
  const at = await server.createDatabase('sql');
  return { at, backend: postgresBackend(systemClock(), optionsOf(at, more)) };
};
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
const started = async (t: Test, more: Partial<PostgresOptions> = {}) => {
  const { at, backend } = await fresh(more);
  await backend.start(() => {});
  t.teardown(() => backend.stop());
  return { at, backend };
};

sqlContract(
  'postgres',
  {
    make: async (_t, acquireTimeoutMs) => (await fresh({ acquireTimeoutMs })).backend,
    placeholder: (n) => `$${n}`,
    size: 3,
    types: { double: 'double precision', bytes: 'bytea', moment: 'timestamp', boolean: 'boolean' },
    slow: 'SELECT pg_sleep(20)',
  },
  skip,
);

test('types of PostgreSQL', { skip }, async (t) => {
  const { backend } = await started(t);
  const connection = await backend.acquire(NEVER);
  const texts = `SELECT 12345678901234567890.123456789::numeric, '{1,2}'::int[], '{"a": 1}'::jsonb, 'infinity'::timestamptz,
    '2024-07-01 12:00:00.5+02'::timestamptz, '2024-02-29'::date, '12:30:00'::time, 7::smallint, 'NaN'::float8, 1.5::real`;
  t.strictSame((await connection.query(direct(texts))).rows, [
    [
      '12345678901234567890.123456789',
      '{1,2}',
      '{"a": 1}',
      'infinity',
      '2024-07-01T10:00:00.5Z',
      '2024-02-29T00:00:00Z',
      '12:30:00',
      7,
      Number.NaN,
      1.5,
    ],
  ]);
  await connection.execute(direct("SET TIME ZONE 'Asia/Kolkata'"));
  const moment = direct("SELECT '2024-01-01 00:00:00.000001+00'::timestamptz, '0001-01-01 BC'::date");
  t.strictSame((await connection.query(moment)).rows, [['2024-01-01T00:00:00.000001Z', '0001-01-01 BC']]);
  connection.release();
});

test('a lost connection is an error that says so, and the next one is new', { skip }, async (t) => {
  const { at, backend } = await started(t);
  const connection = await backend.acquire(NEVER);
  await connection.begin({ isolation: 'default', readOnly: false });
  const slow = connection.query(direct('SELECT pg_sleep(60)')).catch((error: unknown) => error);
  await poll(
    'it sleeps',
    async () =>
      (await at.run("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'")).length >
      0,
  );
  await at.run(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  t.match(await slow, { kind: 'Unavailable', retryable: true });
  t.match(await failureOf(connection.commit()), { kind: 'Unavailable' });
  connection.release();
  const next = await backend.acquire(NEVER);
  t.same((await next.query(direct('SELECT 1'))).rows, [[1]]);
  next.release();
});

test('idle connections may be lost too', { skip }, async (t) => {
  const { at, backend } = await started(t);
  const both = await Promise.all([backend.acquire(NEVER), backend.acquire(NEVER)]);
  for (const connection of both) connection.release();
  t.match(backend.state(), { idle: 2 });
  await at.run(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await poll('the pool has noticed', () => backend.state().idle === 0);
  const next = await backend.acquire(NEVER);
  t.same((await next.query(direct('SELECT 1'))).rows, [[1]]);
  next.release();
});

test('an abandoned statement is ended on the server', { skip }, async (t) => {
  const { at, backend } = await started(t);
  const connection = await backend.acquire(NEVER);
  const slow = connection.query(direct('SELECT pg_sleep(1000)')).catch((error: unknown) => error);
  const sleeping = () =>
    at.run("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'");
  await poll('it sleeps', async () => (await sleeping()).length === 1);
  connection.abandon();
  await poll('it is ended', async () => (await sleeping()).length === 0);
  t.ok((await slow) instanceof CallError);
});

test('a connection that is given back is at hand for the rest of the turn, then the pool has it', {
  skip,
}, async (t) => {
  const { at, backend } = await started(t);
  t.equal(backend.acquireNow?.(), undefined, 'none at first');
  const connection = await backend.acquire(NEVER);
  t.equal(backend.acquireNow?.(), undefined, 'nor while it is in use');
  const [[pid]] = (await connection.query(direct('SELECT pg_backend_pid()'))).rows as [[number]];
  connection.release();
  t.match(backend.state(), { used: 0, idle: 1 });
  const again = backend.acquireNow?.();
  t.match(backend.state(), { used: 1, idle: 0 });
  t.same((await again?.query(direct('SELECT pg_backend_pid()')))?.rows, [[pid]]);
  t.equal(backend.acquireNow?.(), undefined, 'there is no second one');

  again?.release();
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(backend.acquireNow?.(), undefined, 'the turn is over');
  t.match(backend.state(), { used: 0, idle: 1 });

  // What is lost is at hand for nobody.
  const lost = await backend.acquire(NEVER);
  await at.run(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await poll('it is lost', () =>
    lost.query(direct('SELECT 1')).then(
      () => false,
      () => true,
    ),
  );
  lost.release();
  t.equal(backend.acquireNow?.(), undefined);
  const next = await backend.acquire(NEVER);
  t.same((await next.query(direct('SELECT 1'))).rows, [[1]]);
  next.release();
});

test('of a text of several statements the last one counts', { skip }, async (t) => {
  const { backend } = await started(t);
  const connection = await backend.acquire(NEVER);
  t.match(await connection.query(direct('SELECT 1 AS a; SELECT 2 AS b, NULL AS c')), {
    columns: ['b', 'c'],
    rows: [[2, undefined]],
  });
  t.match(await connection.query(direct('SELECT 1 AS a; CREATE TEMP TABLE x (n int)')), { columns: [], rows: [] });
  t.same(await connection.execute(direct('INSERT INTO x VALUES (1); INSERT INTO x VALUES (2), (3)')), {
    lastInsertId: 0,
    rowsAffected: 2,
  });
  t.match(await connection.query(direct('')), { columns: [], rows: [] }, 'without a statement there is nothing');
  t.match(await failureOf(connection.query(direct('SELECT 1; SELECT nothing'))), { message: /"nothing"/ });
  t.match(await failureOf(connection.execute(direct('COPY x FROM STDIN'))), { message: /COPY from stdin failed/ });
  t.same((await connection.query(direct('SELECT count(*) FROM x'))).rows, [[3]], 'and the connection goes on');
  connection.release();
});

test('locks and conflicts say that they are worth a retry', { skip }, async (t) => {
  const { backend } = await started(t);
  const [a, b] = await Promise.all([backend.acquire(NEVER), backend.acquire(NEVER)]);
  await a.execute(direct('CREATE TABLE n (v int); INSERT INTO n VALUES (1)'));
  await b.execute(direct("SET lock_timeout = '100ms'"));
  await a.begin({ isolation: 'default', readOnly: false });
  await a.execute(direct('UPDATE n SET v = 2'));
  t.match(await failureOf(b.execute(direct('UPDATE n SET v = 3'))), {
    kind: 'Timeout',
    retryable: true,
    details: { code: '55P03' },
  });
  await a.rollback();

  for (const connection of [a, b]) await connection.begin({ isolation: 'repeatable_read', readOnly: false });
  for (const connection of [a, b]) await connection.query(direct('SELECT * FROM n'));
  await a.execute(direct('UPDATE n SET v = 2'));
  await a.commit();
  t.match(await failureOf(b.execute(direct('UPDATE n SET v = 3'))), {
    kind: 'Conflict',
    retryable: true,
    details: { code: '40001' },
  });
  t.match(await failureOf(b.commit()), { message: /the transaction was rolled back/ }, 'a commit that did not commit');
  a.release();
  b.release();
});

test('what is left open in a connection does not reach its next user', { skip }, async (t) => {
  const { backend } = await started(t, { maxOpen: 1 });
  let connection = await backend.acquire(NEVER);
  await connection.execute(direct('CREATE TABLE n (v int)'));
  await connection.execute(direct('BEGIN'));
  await connection.execute(direct('INSERT INTO n VALUES (1)'));
  connection.release();
  connection = await backend.acquire(NEVER);
  t.same((await connection.query(direct('SELECT count(*) FROM n'))).rows, [[0]]);
  connection.release();
});

test('plans are kept by text, up to a number, and made again when they are gone', { skip }, async (t) => {
  const { backend } = await started(t, { maxOpen: 1 });
  const connection = await backend.acquire(NEVER);
  const kept = async () => (await connection.query(direct('SELECT count(*) FROM pg_prepared_statements'))).rows[0]?.[0];
  const prepared = (text: string): Statement => ({ text, params: [], isPrepared: true });
  for (let i = 0; i < 3; i += 1) await connection.query(prepared('SELECT 1'));
  t.equal(await kept(), 1);
  await connection.execute(direct('DEALLOCATE ALL'));
  t.same((await connection.query(prepared('SELECT 1'))).rows, [[1]]);
  for (let i = 0; i < 200; i += 1) await connection.query(prepared(`SELECT ${i}`));
  t.equal(await kept(), 128);
  connection.release();
});

test('pool limits', { skip }, async (t) => {
  const { backend } = await started(t, { maxOpen: 3, maxIdle: 1 });
  const all = await Promise.all([1, 2, 3].map(() => backend.acquire(NEVER)));
  for (const connection of all) connection.release();
  await poll('one is kept', () => backend.state().idle === 1);
  t.match(backend.state(), { max: 3, used: 0, idle: 1, maxIdleClosed: 2 });
});

test('options: those of the session, TLS, and a server that is not there', { skip }, async (t) => {
  const options = { application_name: 'my app', statement_timeout: '100', search_path: '"a b"', sslmode: 'disable' };
  const { at, backend } = await started(t, { options });
  const connection = await backend.acquire(NEVER);
  const shown = "SELECT current_setting('application_name'), current_setting('search_path')";
  t.same((await connection.query(direct(shown))).rows, [['my app', '"a b"']]);
  t.match(await failureOf(connection.query(direct('SELECT pg_sleep(60)'))), { kind: 'Timeout', retryable: true });
  connection.release();

  const failing = async (more: Partial<PostgresOptions>) => {
    const other = postgresBackend(systemClock(), optionsOf(at, more));
    const error = await other.start(() => {}).catch((thrown: unknown) => thrown);
    await other.stop();
    return error;
  };
  t.match(await failing({ options: { sslmode: 'require' } }), { kind: 'Unavailable', message: /does not support SSL/ });
  t.match(await failing({ options: { sslmode: 'maybe' } }), { kind: 'Invalid', message: /options.sslmode/ });
  t.match(await failing({ address: () => ({ ...at, port: 1 }) }), { kind: 'Unavailable', message: /ECONNREFUSED/ });
  t.match(await failing({ address: () => ({ ...at, password: 'wrong' }) }), {
    message: /password authentication failed/,
  });
});

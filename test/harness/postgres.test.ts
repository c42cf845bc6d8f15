import { test } from 'tap';
import { POSTGRES_MISSING, startPostgres } from './postgres.ts';

test('a PostgreSQL of our own', async (t) => {
  const postgres = await startPostgres(t);
  if (postgres === undefined) {
    t.skip(POSTGRES_MISSING);
    return;
  }
  t.same(await postgres.run('SELECT 1 + $1::int AS two', [1]), [{ two: 2 }]);
  t.same(await postgres.run('SHOW wal_level'), [{ wal_level: 'logical' }]);

  const other = await postgres.createDatabase('harness');
  await other.run('CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
  await t.rejects(postgres.run('SELECT * FROM kept'), /relation "kept" does not exist/, 'databases are apart');
  if (postgres.stop === undefined || postgres.start === undefined) return;
  await postgres.stop();
  await t.rejects(postgres.run('SELECT 1'), /ECONNREFUSED/, 'it is away');
  await postgres.start();
  t.same(await other.run('SELECT n FROM kept'), [{ n: 7 }], 'what was committed is still there');
});

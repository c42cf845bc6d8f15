import { t as root, test } from 'tap';
import { POSTGRES_MISSING, signalled, startPostgres } from './postgres.ts';

const postgres = await startPostgres(root);

test('a PostgreSQL of our own', { skip: postgres === undefined && POSTGRES_MISSING }, async (t) => {
  if (postgres === undefined) return;
  t.same(await postgres.run('SELECT 1 + $1::int AS two', [1]), [{ two: 2 }]);
  t.same(await postgres.run('SHOW wal_level'), [{ wal_level: 'logical' }]);

  const other = await postgres.createDatabase('harness');
  await other.run('CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
  await t.rejects(postgres.run('SELECT * FROM kept'), /relation "kept" does not exist/, 'databases are apart');
  if (postgres.stop === undefined || postgres.start === undefined) return;
  for (const pid of postgres.processes?.() ?? []) signalled(pid, 'SIGSTOP');
  await postgres.stop();
  await t.rejects(postgres.run('SELECT 1'), /ECONNREFUSED/, 'it is away, also when it was paused');
  await postgres.start();
  t.same(await other.run('SELECT n FROM kept'), [{ n: 7 }], 'what was committed is still there');
});

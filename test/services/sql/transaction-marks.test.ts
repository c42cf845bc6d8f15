import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { rootContext } from '../../../runtime/context.ts';
import type { TransactionMark } from '../../../services/sql/port.ts';
import type { SqlSites } from '../../../services/sql/sites.ts';
import { sqliteBackend } from '../../../services/sql/sqlite/backend.ts';
import { createExitGuard } from '../../../services/sql/sqlite/exit-guard.ts';
import { openTransaction } from '../../../services/sql/transaction.ts';

const caller = { context: rootContext, signal: new AbortController().signal };
const through: SqlSites['query'] = (_text, _context, run) => run();
const sites: SqlSites = { query: through, exec: through, begin: through, commit: through, rollback: through };

test('a mark runs once, in the transaction, before its first execute and never for a read', async (t) => {
  const backend = sqliteBackend(systemClock(), {
    id: 'app:db',
    root: '/',
    file: ':memory:',
    acquireTimeoutMs: 30_000,
    busyTimeoutMs: 0,
    stopTimeoutMs: 30_000,
    exitGuard: createExitGuard(),
  });
  await backend.start(() => {});
  t.teardown(() => backend.stop());
  const connection = await backend.acquire(caller.signal);
  await connection.execute({ text: 'CREATE TABLE log (what text)', params: [], isPrepared: false });
  await connection.begin({ isolation: 'default', readOnly: false });
  let marks = 0;
  const mark: TransactionMark = async (run) => {
    marks += 1;
    await run({ text: "INSERT INTO log VALUES ('mark')", params: [] });
  };
  const transaction = openTransaction(sites, connection, rootContext, mark, systemClock());
  await transaction.query({ text: 'SELECT 1', params: [] }, caller);
  t.equal(marks, 0, 'a read');
  const write = { text: 'INSERT INTO log VALUES (?)', params: ['work'] };
  await Promise.all([transaction.execute(write, caller), transaction.execute(write, caller)]);
  t.equal(marks, 1);
  t.same((await transaction.query({ text: 'SELECT what FROM log', params: [] }, caller)).rows, [
    ['mark'],
    ['work'],
    ['work'],
  ]);
  await transaction.rollback();
  const other = await backend.acquire(caller.signal);
  t.same((await other.query({ text: 'SELECT what FROM log', params: [], isPrepared: false })).rows, []);
  other.release();
});

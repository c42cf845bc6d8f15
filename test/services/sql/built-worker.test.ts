import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { createExitGuard } from '../../../services/sql/sqlite/exit-guard.ts';
import { runChild } from '../../harness/child.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));

test('the thread of SQLite starts from the published files too', async (t) => {
  const dir = mkdtempSync(`${tmpdir()}/perilune-built-`);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace('package.json', 'bin/tsc');
  const args = [tsc, '-p', `${project}tsconfig.build.json`, '--outDir', dir, '--declaration', 'false'];
  const built = await runChild(t, process.execPath, args, { cwd: project });
  t.equal(built.code, 0, built.stdout.join('\n'));
  writeFileSync(`${dir}/package.json`, '{ "type": "module" }');
  const { sqliteBackend } = await import(`${dir}/services/sql/sqlite/backend.js`);
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
  const connection = await backend.acquire(new AbortController().signal);
  t.same((await connection.query({ text: 'SELECT 1', params: [], isPrepared: false })).rows, [[1]]);
  connection.release();
});

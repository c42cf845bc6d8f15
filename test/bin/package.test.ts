import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { runChild } from '../harness/child.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${project}package.json`, 'utf8')) as { version: string };

test('npx perilune works in a checkout', async (t) => {
  const run = await runChild(t, 'npx', ['perilune', '--version'], { cwd: project });
  t.equal(run.stdout[0], `perilune ${version}`, run.stderr.join('\n'));
});

test('npx perilune works from the packed tarball, installed in an empty folder', { timeout: 300_000 }, async (t) => {
  const folder = t.testdir({ 'package.json': '{"private":true}' });
  // A registry's address may be configured for this user: npm finds it by HOME. What `npm ci` fetched is not fetched again.
  const pack = await runChild(t, 'npm', ['pack', '--silent', '--pack-destination', folder], { cwd: project });
  t.equal(pack.code, 0, pack.stderr.join('\n'));
  const tarball = `${folder}/perilune-${version}.tgz`;
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball];
  const installed = await runChild(t, 'npm', install, { cwd: folder });
  t.equal(installed.code, 0, installed.stderr.join('\n'));

  const shown = await runChild(t, 'npx', ['perilune', '--version'], { cwd: folder });
  t.equal(shown.stdout[0], `perilune ${version}`, shown.stderr.join('\n'));
  const example = `${folder}/node_modules/perilune/examples/orders`;
  const valid = await runChild(t, 'npx', ['perilune', 'validate', example], { cwd: folder });
  t.match(valid.stdout.join('\n'), /^ok: \d+ entries/, valid.stderr.join('\n'));
});

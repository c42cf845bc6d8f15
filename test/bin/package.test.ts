import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { t as root, test } from 'tap';
import { runChild } from '../harness/child.ts';

// npm fetches what is not in its cache: minutes on a slow line.
root.setTimeout(400_000);

const project = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${project}package.json`, 'utf8')) as { version: string };

test('npx perilune works in a checkout', async (t) => {
  const run = await runChild(t, 'npx', ['perilune', '--version'], { cwd: project });
  t.equal(run.stdout[0], `perilune ${version}`, 'prints the version', { stderr: run.stderr });
});

test('npx perilune works from the packed tarball, installed in an empty folder', { timeout: 300_000 }, async (t) => {
  const folder = t.testdir({ 'package.json': '{"private":true}' });
  // A registry's address may be configured for this user: npm finds it by HOME. What `npm ci` fetched is not fetched again.
  const pack = await runChild(t, 'npm', ['pack', '--silent', '--pack-destination', folder], { cwd: project });
  t.equal(pack.code, 0, 'npm pack builds it', { stderr: pack.stderr });
  const tarball = `${folder}/perilune-${version}.tgz`;
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball];
  const installed = await runChild(t, 'npm', install, { cwd: folder });
  t.equal(installed.code, 0, 'npm installs it', { stderr: installed.stderr });

  const shown = await runChild(t, 'npx', ['perilune', '--version'], { cwd: folder });
  t.equal(shown.stdout[0], `perilune ${version}`, 'prints the version', { stderr: shown.stderr });
  const script = "const { createRuntime } = await import('perilune'); console.log(typeof createRuntime)";
  const imported = await runChild(t, process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
  t.same(imported.stdout, ['function'], 'the library entry point is there', { stderr: imported.stderr });
  const example = `${folder}/node_modules/perilune/examples/orders`;
  const valid = await runChild(t, 'npx', ['perilune', 'validate', example], { cwd: folder });
  t.match(valid.stdout.join('\n'), /^ok: \d+ entries/, 'validates the example that came along', {
    stderr: valid.stderr,
  });
});

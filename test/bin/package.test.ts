import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { t as root, type Test, test } from 'tap';
import { runChild } from '../harness/child.ts';

// npm fetches what is not in its cache: minutes on a slow line.
root.setTimeout(900_000);

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
  const { stdout: packed } = await runChild(t, 'tar', ['-tf', tarball]);
  for (const file of ['bin/perilune.js', 'dist/boot/cli.js', 'schema/perilune.schema.json', 'LICENSE', 'README.md']) {
    t.ok(packed.includes(`package/${file}`), file);
  }
  const strays = packed.filter((file) => /^package\/(test|bench|boot|runtime)\/|(?<!\.d)\.ts$/.test(file));
  t.same(strays, [], 'neither tests nor sources: Node.js strips no types under node_modules');
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

  mkdirSync(`${folder}/app`);
  writeFileSync(`${folder}/app/_index.yaml`, APP);
  const call = ['perilune', 'invoke', 'app', 'app:add', '40', '2'];
  const invoked = await runChild(t, 'npx', call, { cwd: folder });
  t.same(invoked.stdout, ['42'], 'calls a function', { stderr: invoked.stderr });

  const old = await oldNode(t);
  if (old === undefined) return;
  const refused = await runChild(t, old.path, [`${folder}/node_modules/perilune/bin/perilune.js`, '--version']);
  t.equal(refused.code, 2, `${old.version} is refused`);
  t.same(refused.stdout, []);
  t.match(refused.stderr.join('\n'), new RegExp(`needs Node\\.js 24 or newer, found ${old.version} .*nodejs\\.org`));
});

test('under an old Node.js a checkout goes on with its own, found beside it', async (t) => {
  const old = await oldNode(t);
  if (old === undefined) return;
  const run = await runChild(t, old.path, [`${project}bin/perilune.js`, '--version']);
  t.equal(run.code, 0);
  t.match(run.stdout, [`perilune ${version}`, /^node v(2[4-9]|[3-9]\d)\./, /^otel /, /^lua /]);
});

const APP = `namespace: app
entries:
  - { name: add, kind: function.lua, source: "return function(a, b) return a + b end", method: main }
`;

/** A Node.js below 24 somewhere on PATH; undefined, with a comment, on a machine that has none. */
const oldNode = async (t: Test): Promise<{ path: string; version: string } | undefined> => {
  for (const folder of new Set((process.env.PATH ?? '').split(':'))) {
    const path = `${folder}/node`;
    if (folder === '' || !existsSync(path)) continue;
    const { stdout } = await runChild(t, path, ['--version']);
    const found = stdout[0] ?? '';
    if (Number(/^v(\d+)\./.exec(found)?.[1] ?? 99) < 24) return { path, version: found };
  }
  t.comment('no Node.js below 24 on PATH: test/bin/perilune.test.ts pretends to be one');
  return undefined;
};

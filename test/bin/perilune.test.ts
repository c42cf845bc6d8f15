import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { runChild, startChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';

const bin = fileURLToPath(new URL('../../bin/perilune.js', import.meta.url));

/** Loaded before the bin, it makes this Node.js look like an old one. */
const PRETEND_OLD = `
Object.defineProperty(process, 'version', { value: 'v20.1.0' });
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
`;

/** A program that says what it got, waits for SIGTERM when asked to, and ends with 7. */
const MAIN = `
export const main = async (args) => {
  const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));
  process.stdout.write(process.version + ' ' + JSON.stringify(args) + '\\n');
  if (!args.includes('wait')) return 7;
  const alive = setInterval(() => {}, 1000);
  await stopped;
  clearInterval(alive);
  process.stdout.write('stopped\\n');
  return 0;
};
`;

/** A folder that looks like the package: `source` as a checkout has it, `dist` as the published package has it. */
const packageFolder = (folder: string, has: { source?: boolean; dist?: boolean; localNode?: boolean }): string => {
  mkdirSync(`${folder}/bin`, { recursive: true });
  cpSync(bin, `${folder}/bin/perilune.js`);
  writeFileSync(`${folder}/package.json`, '{"type":"module"}');
  writeFileSync(`${folder}/old.mjs`, PRETEND_OLD);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, text);
  };
  if (has.source === true) write('boot/cli.ts', `${MAIN}export const isSource: boolean = true;\n`);
  if (has.dist === true) write('dist/boot/cli.js', MAIN.replace('process.version', "'dist ' + process.version"));
  if (has.localNode === true) {
    mkdirSync(`${folder}/node_modules/node/bin`, { recursive: true });
    symlinkSync(process.execPath, `${folder}/node_modules/node/bin/node`);
  }
  return folder;
};

test('a checkout runs its sources, whatever dist/ holds; the published package runs dist/', async (t) => {
  const checkout = packageFolder(t.testdir({}), { source: true, dist: true });
  const fromSource = await runChild(t, process.execPath, [`${checkout}/bin/perilune.js`, 'a', 'b c']);
  t.same(fromSource.stdout, [`${process.version} ["a","b c"]`]);
  t.equal(fromSource.code, 7, 'the exit code is what main returns');
});

test('without sources the build is run', async (t) => {
  const published = packageFolder(t.testdir({}), { dist: true });
  const run = await runChild(t, process.execPath, [`${published}/bin/perilune.js`]);
  t.same(run.stdout, [`dist ${process.version} []`]);
});

test('under an old Node.js it exits 2 with the version found and the remedy', async (t) => {
  for (const [has, remedy] of [
    [{ dist: true }, /nodejs\.org/],
    [{ source: true }, /npm ci/],
  ] as const) {
    const folder = packageFolder(t.testdir({}), has);
    const run = await runChild(t, process.execPath, ['--import', `${folder}/old.mjs`, `${folder}/bin/perilune.js`]);
    t.equal(run.code, 2);
    t.same(run.stdout, []);
    t.match(run.stderr.join('\n'), /needs Node\.js 24 or newer, found v20\.1\.0/);
    t.match(run.stderr.join('\n'), remedy);
  }
});

test('under an old Node.js a checkout goes on with the Node.js that npm ci installed', async (t) => {
  const folder = packageFolder(t.testdir({}), { source: true, localNode: true });
  const old = ['--import', `${folder}/old.mjs`, `${folder}/bin/perilune.js`];
  const run = await runChild(t, process.execPath, [...old, 'x']);
  t.same(run.stdout, [`${process.version} ["x"]`]);
  t.equal(run.code, 7, 'the exit code is passed on');

  const waiting = startChild(t, process.execPath, [...old, 'wait']);
  await poll('it runs', () => waiting.stdout.length === 1);
  waiting.signal('SIGTERM');
  t.equal((await waiting.exited).code, 0, 'SIGTERM is passed on');
  t.same(waiting.stdout.slice(1), ['stopped']);
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { runChild } from '../harness/child.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(`${project}README.md`, 'utf8');

/** The fenced blocks that name a file: ```yaml tour/_index.yaml */
const files = [...readme.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, path = '', text = '']) => ({ path, text }));

const writeFiles = (folder: string): void => {
  for (const { path, text } of files) {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, text);
  }
};

test('rule 135: the quick tour of the README is an app that works', async (t) => {
  t.same(
    files.map((file) => file.path),
    ['tour/_index.yaml', 'tour/greet.lua', 'tour/greeting.lua', 'counter/_index.yaml', 'counter/count.lua'],
  );
  const folder = t.testdir({});
  writeFiles(folder);
  const perilune = (...args: string[]) =>
    runChild(t, process.execPath, [`${project}bin/perilune.js`, ...args], { cwd: folder });

  const expected = /perilune validate tour +# (.*)/.exec(readme)?.[1];
  t.same((await perilune('validate', 'tour')).stdout, [expected]);
  const [, argument = '', result] = /perilune invoke tour app:greeting '(.*?)' +# (.*)/.exec(readme) ?? [];
  t.same((await perilune('invoke', 'tour', 'app:greeting', argument)).stdout, [result]);
  const long = await perilune('invoke', 'tour', 'app:greeting', JSON.stringify('x'.repeat(41)));
  t.equal(long.code, 1);
  t.match(long.stderr.join('\n'), /Invalid: that is a long name/);
});

test('the command of the README counts, and its result is the exit code', async (t) => {
  const folder = t.testdir({});
  writeFiles(folder);
  const count = (stdin: string) =>
    runChild(t, process.execPath, [`${project}bin/perilune.js`, 'run', 'counter', 'count', 'lines'], {
      cwd: folder,
      stdin,
    });
  const two = await count('a\nb');
  t.same([two.code, two.stdout, two.stderr], [0, ['2\tlines'], []]);
  t.equal((await count('')).code, 1);
});

test('the README names files, targets and pages that exist', async (t) => {
  const makefile = readFileSync(`${project}Makefile`, 'utf8');
  const targets = [...readme.matchAll(/\bmake ([a-z0-9-]+)/g)].map((match) => match[1]);
  t.ok(targets.length > 2);
  for (const target of targets) t.match(makefile, new RegExp(`^${target}:`, 'm'), `make ${target}`);
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !link.startsWith('http'));
  t.ok(links.length > 2);
  for (const link of links)
    t.doesNotThrow(() => readFileSync(`${project}${link}/README.md`.replace(/\.md\/README/, '')), link);
});

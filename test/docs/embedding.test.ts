import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'tap';
import { runChild } from '../harness/child.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${project}docs/embedding.md`, 'utf8');

/** The fenced blocks that name a file: ```ts host/main.ts */
const files = [...page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, path = '', text = '']) => ({ path, text }));

test('rule 135: the program of docs/embedding.md runs and prints what the page says', async (t) => {
  t.equal(files.length, 5);
  const folder = t.testdir({});
  const library = pathToFileURL(`${project}boot/library.ts`).href;
  for (const { path, text } of files) {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, text.replace("from 'perilune'", `from '${library}'`));
  }
  const run = await runChild(t, process.execPath, ['host/main.ts'], { cwd: folder });
  t.equal(run.code, 0, run.stderr.join('\n'));
  const printed = /It prints `(.*?)`/.exec(page)?.[1];
  t.equal(run.stdout.join(' ').replace(/\s+/g, ' '), printed);
});

test('the page names every option and every method there is', async (t) => {
  const source = readFileSync(`${project}boot/library/options.ts`, 'utf8');
  const [runtimeOptions = '', callOptions = ''] = source.split('export interface CallOptions');
  const members = (text: string) => [...text.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name ?? '');
  const names = [...members(runtimeOptions), ...members(callOptions)];
  t.ok(names.length > 15);
  for (const name of names) t.ok(new RegExp(`\\b${name}\\b`).test(page), name);
  const runtime = readFileSync(`${project}boot/library/runtime.ts`, 'utf8');
  const [, methods = ''] = /export interface Runtime \{(.*?)^\}/ms.exec(runtime) ?? [];
  const found = [...methods.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name ?? '');
  t.ok(found.length > 6);
  for (const name of found) t.ok(new RegExp(`\\b${name}\\b`).test(page), name);
});

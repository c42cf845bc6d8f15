import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { SOURCE_FOLDERS, type SourceFile, violationsOf } from './layout/rules.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

const sourceFiles = (): SourceFile[] =>
  SOURCE_FOLDERS.flatMap((folder) =>
    readdirSync(`${project}/${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  ).map((path) => ({ path, text: readFileSync(`${project}/${path}`, 'utf8') }));

test('the source keeps to the layout', async (t) => {
  const files = sourceFiles();
  t.ok(files.length >= SOURCE_FOLDERS.length, `${files.length} files read`);
  for (const violation of files.flatMap(violationsOf)) t.fail(violation);
});

/** [where, what, the message expected; undefined: allowed]. Without these the test above could not fail. */
const SAMPLES: readonly (readonly [path: string, text: string, message: RegExp | undefined])[] = [
  ['runtime/a.ts', "import { b } from './b.ts';", undefined],
  ['runtime/a.ts', "import { b } from '../services/kv/port.ts';", /^runtime\/a\.ts:1: .*imports point/],
  ['runtime/a.ts', "import type { B } from '../interceptors/b.ts';", /imports point/],
  ['interceptors/a.ts', "import { b } from '../runtime/b.ts';", undefined],
  ['interceptors/a.ts', "import { b } from '../services/kv/port.ts';", /imports point/],
  ['services/kv/a.ts', "import {\n  b,\n} from '../../boot/b.ts';", /imports point/],
  [
    'services/kv/a.ts',
    "\nimport { b } from '../queue/memory.ts';",
    /^services\/kv\/a\.ts:2: .*services\/queue\/port\.ts/,
  ],
  ['services/kv/a.ts', "export { b } from '../queue/memory.ts';", /services\/queue\/port\.ts/],
  ['services/kv/a.ts', "import { b } from '../queue/port.ts';\nimport { c } from './memory.ts';", undefined],
  ['boot/a.ts', "import { b } from '../services/queue/memory.ts';", undefined],
  ['boot/a.ts', "import { b } from '../test/harness/b.ts';", /imports point/],
  ['services/kv/a.ts', "import fengari from 'fengari';", /runtime\/lua/],
  ['boot/a.ts', "require.resolve('fengari/src/lvm.js');", /runtime\/lua/],
  ['boot/a.ts', "export const engine = 'fengari';", undefined],
  ['runtime/lua/a.ts', "import fengari from 'fengari';", undefined],
  ['services/http/a.ts', "import { trace } from '@opentelemetry/api';", /import type/],
  ['services/http/a.ts', "import type { Span } from '@opentelemetry/api';", undefined],
  ['boot/a.ts', "import { trace } from '@opentelemetry/api';", undefined],
  ['boot/a.ts', "import type { X } from '@opentelemetry/sdk-metrics';", /services\/otel/],
  ['services/otel/a.ts', "import { X } from '@opentelemetry/sdk-metrics';", undefined],
  ['boot/a.ts', 'export const a = Date.now();', /take a Clock/],
  ['boot/a.ts', 'export const a = new Date();', /take a Clock/],
  ['boot/a.ts', 'export const a = (ms: number) => new Date(ms);', undefined],
  ['boot/a.ts', 'export const a = globalThis.performance.now();', /take a Clock/],
  ['boot/a.ts', 'setTimeout(() => {}, 1);', /take a Clock/],
  ['boot/a.ts', 'export const wait = { later: setInterval };', /take a Clock/],
  ['boot/a.ts', 'export const a = AbortSignal.timeout(5);', /take a Clock/],
  ['boot/a.ts', "import { setTimeout as wait } from 'node:timers/promises';", /take a Clock/],
  ['boot/a.ts', 'setImmediate(() => {});\nqueueMicrotask(() => {});\nsocket.setTimeout(5);', undefined],
  ['boot/a.ts', "// Date.now()\nexport const text = 'Date.now() setTimeout';", undefined],
  ['runtime/clock.ts', 'export const a = Date.now() + performance.now();\nsetTimeout(() => {}, 1);', undefined],
  ['services/env/a.ts', 'export const a = process.env.HOME;', /process\.env outside boot/],
  ['services/env/a.ts', "import { env } from 'node:process';", /global `process`/],
  ['services/env/a.ts', 'process.exit(1);', /process\.exit outside boot/],
  ['services/env/a.ts', 'export const pid = process.pid;', undefined],
  ['boot/a.ts', 'process.exit(Number(process.env.CODE));', undefined],
  ['boot/a.ts', 'export default () => 1;', /default export/],
  ['boot/a.ts', "export * from './b.ts';", /export \*/],
  ['boot/a.ts', 'let count = 0;\nexport const next = () => count++;', /module-level `let`/],
  ['boot/a.ts', 'export let count = 0;', /module-level `let`/],
  ['boot/a.ts', 'export const next = () => {\n  let count = 0;\n  return count++;\n};', undefined],
  ['boot/a.ts', 'export const = 1;', /cannot be parsed/],
  ['boot/a.ts', '\n'.repeat(401), /401 lines/],
  ['boot/a.ts', '\n'.repeat(400), undefined],
];

test('every rule of the layout can fail, and lets through what it should', async (t) => {
  for (const [path, text, message] of SAMPLES) {
    const found = violationsOf({ path, text });
    const title = `${path}: ${text.trim().slice(0, 80) || 'blank lines'}`;
    if (message === undefined) t.same(found, [], title);
    else {
      t.equal(found.length, 1, title);
      t.match(found[0], message, title);
    }
  }
});

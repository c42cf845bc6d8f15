import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { parseDocument } from 'yaml';
import { HELP, parseCommandLine } from '../../boot/arguments.ts';
import { leavesOf } from '../../boot/config/leaves.ts';
import { loadConfig } from '../../boot/config/load.ts';
import { bootSchema } from '../../boot/config/schema.ts';
import { run } from '../boot/cli-app.ts';
import { DOCUMENTED, DOCUMENTED_OF_CDC } from '../boot/program/documented-metrics.ts';
import { luaBench } from '../harness/lua.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => ({ path, text: readFileSync(project + path, 'utf8') });
const PAGES = [
  read('README.md'),
  read('examples/orders/README.md'),
  ...readdirSync(`${project}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => read(`docs/${name}`)),
];
const LUA_FILES = readdirSync(`${project}examples/orders`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.lua'))
  .map((name) => read(`examples/orders/${name}`).text)
  .join('\n');

test('rule 134: every metric that a page names is emitted, by the runtime or by the example', async (t) => {
  let seen = 0;
  for (const { path, text } of PAGES) {
    for (const [name] of text.matchAll(/\b(?:wippy|nodejs|process|orders)_[a-z0-9_]+\b/g)) {
      const family = name.replace(/_(bucket|sum|count)$/, '');
      if (!/_(total|seconds|bytes|bucket|sum|count|depth|calls|duration|active|flight|info|rate|lag)$/.test(name))
        continue;
      seen += 1;
      // The runtime's own names are compared with a live run in test/boot/program/telemetry.test.ts.
      const isKnown =
        [family, name].some((one) => one in DOCUMENTED || one in DOCUMENTED_OF_CDC) || LUA_FILES.includes(`"${name}"`);
      t.ok(isKnown, `${path}: ${name}`);
    }
  }
  t.ok(seen >= 3, `${seen} names were found`);
});

/** Code that calls `perilune`: fenced lines and code spans. */
const commandLines = (text: string): readonly string[] =>
  [...text.matchAll(/(?:^|`|npx )perilune ((?:run|validate|invoke|test|--)[^`\n]*)/gm)].map(([, words = '']) =>
    words.replace(/\s+#.*$/, '').trim(),
  );

test('rule 134: every command and option that a page shows is accepted, and is in the help', async (t) => {
  let seen = 0;
  for (const { path, text } of PAGES) {
    for (const line of commandLines(text)) {
      seen += 1;
      const words = line.split(/\s+/).filter((word) => word !== '...' && word !== '');
      t.doesNotThrow(() => parseCommandLine(words), `${path}: perilune ${line}`);
      for (const option of words.filter((word) => /^--?[a-z]/.test(word))) t.ok(HELP.includes(option), option);
    }
    for (const [, option = ''] of text.matchAll(/`(--[a-z][a-z-]*)[ `]/g))
      t.ok(HELP.includes(option), `${path}: ${option}`);
  }
  t.ok(seen > 5, `${seen} command lines were found`);
});

test('rule 134: every option of the help is one of the command line', async (t) => {
  const options = [...HELP.matchAll(/(?<=[\s|[])(--?[a-z][a-z-]*)( <[a-z.=:]+>| [a-z]+\|)?/g)];
  t.ok(options.length > 8);
  for (const [, option = '', value] of options) {
    const values = value === undefined ? [] : [option === '--reporter' ? 'tap' : 'x=y'];
    const words = option === '--version' || option === '--help' ? [option] : ['run', option, ...values];
    t.doesNotThrow(() => parseCommandLine(words), option);
  }
});

const LEAVES = leavesOf(bootSchema, bootSchema.parse({})).map(([path]) => path);
const SECTIONS = new Set(LEAVES.map((path) => path.split('.')[0] ?? ''));
const OPTIONAL = ['prometheus.enabled', 'prometheus.address'];
/** Names of permissions look like keys: they count where some module asks for them. */
const SERVICES = readdirSync(`${project}services`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(`services/${name}`).text)
  .join('\n');

test('rule 134: every boot key that a page names exists', async (t) => {
  let seen = 0;
  for (const { path, text } of PAGES) {
    for (const [, key = ''] of text.matchAll(/(?:`|--set )([a-z_]+(?:\.[a-z_]+)+)(?=[`=:])/g)) {
      if (!SECTIONS.has(key.split('.')[0] ?? '') || /\.(publish|call|md|ts|lua|ya?ml)$/.test(key)) continue;
      seen += 1;
      const isKey = [...LEAVES, ...OPTIONAL].some((leaf) => leaf === key || leaf.startsWith(`${key}.`));
      t.ok(isKey || SERVICES.includes(`'${key}'`), `${path}: ${key}`);
    }
  }
  t.ok(seen >= 1, `${seen} keys were found`);
});

/** Fenced blocks without a file name; those that have one are an app, which readme.test.ts runs. */
const snippets = (language: string) =>
  PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => ({
      path,
      code,
    })),
  );

test('rule 135: YAML on a page is an app or a boot file that validates, Lua compiles', async (t) => {
  const folder = t.testdir({});
  for (const [i, { path, code }] of snippets('yaml').entries()) {
    const document = parseDocument(code);
    t.same(document.errors, [], path);
    const dir = `${folder}/${i}`;
    mkdirSync(dir);
    if (document.has('namespace')) {
      writeFileSync(`${dir}/_index.yaml`, code);
      const { code: exit, err } = await run(['validate', dir]);
      t.equal(exit, 0, `${path}: ${err.join('\n')}`);
    } else {
      writeFileSync(`${dir}/perilune.yaml`, code);
      t.same(loadConfig({ dir, env: {} }).problems, [], path);
    }
  }
  const { engine } = luaBench();
  for (const { path, code } of snippets('lua')) {
    const chunk = { id: 'docs:snippet', source: code, path, modules: [], imports: {} };
    t.doesNotThrow(() => engine.load(chunk), `${path}: ${code.slice(0, 60)}`);
  }
});

test('rule 135: the boot files of the examples are valid', async (t) => {
  const { problems, explicit } = loadConfig({ dir: `${project}examples/orders`, env: {} });
  t.same(problems, []);
  t.ok(explicit.size > 0);
});

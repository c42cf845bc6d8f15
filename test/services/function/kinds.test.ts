import { test } from 'tap';
import { aliasProblems } from '../../../services/code/aliases.ts';
import { checkSources } from '../../../services/code/programs.ts';
import { decode, lua, registryOf, surfaceBench } from '../surface-bench.ts';

const FUNCTION = { id: 'app:f', kind: 'function.lua', source: 'return {}', method: 'main' };
const LIBRARY = { id: 'app:lib', kind: 'library.lua', source: 'return {}' };

test('declarations.md, section 3: messages of function.lua and library.lua', (t) => {
  const cases: [Record<string, unknown>, string][] = [
    [{ source: undefined }, 'source is required'],
    [{ source: '' }, 'source is required'],
    [{ method: undefined }, 'method is required'],
    [{ modules: [''] }, 'module cannot be empty'],
    [{ modules: ['a:b'] }, 'module cannot have a namespace'],
    [{ imports: { '': 'app:lib' } }, 'import alias cannot be empty'],
    [{ imports: { x: 'app:' } }, 'import x:name cannot be empty'],
    [{ pool: { type: 'huge' } }, 'unknown pool type: huge'],
    [{ pool: { workers: 2 } }, 'pool.size must be greater than 0 for non-flex pools'],
  ];
  for (const [more, message] of cases) {
    t.same(decode({ ...FUNCTION, ...more }).messages, [`invalid configuration: ${message}`], message);
  }
  t.same(decode({ ...LIBRARY, source: '' }).messages, ['invalid configuration: source is required']);
  t.same(decode(LIBRARY).messages, [], 'a library needs no method');
  t.end();
});

test('extensions.md, sections 1 and 2: options are checked and stay as written; limits name the key', (t) => {
  const options = { timeout: '250ms', retry: { max_attempts: 3, initial_delay: '1s' }, network: 'x' };
  t.match(decode({ ...FUNCTION, meta: { options } }).config, { meta: { options } });
  t.match(decode({ ...FUNCTION, meta: { options: { timeout: 'soon' } } }).messages, [/duration/]);
  t.match(decode({ ...FUNCTION, meta: { options: { retry: { jitter: 2 } } } }).messages, [/./]);
  t.match(decode({ ...FUNCTION, limits: { cpu_ms: 10 } }).config, { limits: { cpu_ms: 10 } });
  t.equal(decode({ ...FUNCTION, limits: { cpu_ms: -1 } }).messages.length, 1);
  t.end();
});

test('a syntax error is reported with file and line, and import cycles end', async (t) => {
  const { engine } = await surfaceBench(t, []);
  const problems = checkSources(
    engine,
    registryOf([
      { ...FUNCTION, source: 'return {\n  main = function() return = 1 end\n}' },
      { ...LIBRARY, id: 'app:a', imports: { b: 'app:b' } },
      { ...LIBRARY, id: 'app:b', imports: { a: 'app:a' } },
      { ...FUNCTION, id: 'app:good', imports: { lib: 'app:lib' } },
      LIBRARY,
    ]),
  );
  const syntax = problems.find(({ id }) => id === 'app:f');
  t.match(
    syntax,
    { path: 'source', at: { file: '_index.yaml', line: 3 } },
    'inline: its second line is the third of the file',
  );
  t.match(problems.find(({ id }) => id === 'app:b')?.message, 'import cycle: app:a -> app:b -> app:a');
  t.notOk(problems.some(({ id }) => id === 'app:good' || id === 'app:lib'));
});

test('one alias for two libraries, or with the name of a module, is a Conflict', (t) => {
  const of = (entries: Parameters<typeof registryOf>[0]) =>
    aliasProblems(registryOf(entries)).map(({ id, message }) => [id, message]);
  const lib = (name: string, imports = {}) => ({ ...LIBRARY, id: `app:${name}`, imports });
  t.same(of([lib('x'), lib('y', { one: 'app:x' }), { ...FUNCTION, imports: { one: 'app:x', y: 'app:y' } }]), []);
  t.same(of([lib('x'), lib('y', { one: 'app:x' }), { ...FUNCTION, imports: { one: 'app:y', y: 'app:y' } }]), [
    ['app:f', "Conflict: alias 'one' is bound to two libraries: app:y and app:x"],
  ]);
  t.same(of([lib('x'), { ...FUNCTION, modules: ['json'], imports: { json: 'app:x' } }]), [
    ['app:f', "Conflict: alias 'json' is also the name of a module"],
  ]);
  t.end();
});

test('a library is bound under its alias, with its own state per instance', async (t) => {
  const bench = await surfaceBench(t, [
    { ...LIBRARY, source: 'local n = 0; return { next = function() n = n + 1; return n end }' },
    lua('app:main', 'return require("lib").next() + lib.next()', { imports: { lib: 'app:lib' } }),
  ]);
  t.equal(await bench.call('app:main'), 3);
  t.equal(await bench.call('app:main'), 7, 'the instance was reused: its top level ran once');
});

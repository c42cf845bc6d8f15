import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { envVariables } from '../../../services/env/variables.ts';
import { envRegistry } from './registry.ts';

const osVariables = { HOME: '/root', LANG: 'C', EMPTY: '' };
const sources = { osVariables, root: '/nowhere' };
const NOT_FOUND = { kind: 'NotFound', retryable: false, message: 'environment variable not found' };

test('a name is a public name, an id, or a bare name in the caller’s namespace', async (t) => {
  const variables = envVariables(
    envRegistry({
      'app:st': ['storage.static', { values: { PORT: 80, 'app:hidden': 'h', 'lib:PORT': 'never' } }],
      'app:port': ['variable', { variable: 'PORT', storage: 'app:st' }],
      'app:hidden': ['variable', { storage: 'app:st' }],
      'lib:PORT': ['variable', { variable: 'OTHER', storage: 'app:st', default: 'd' }],
    }),
    sources,
  );
  t.equal(variables.get('PORT'), '80', 'numbers in the file are texts');
  t.equal(variables.get('app:port'), '80');
  t.equal(variables.get('port', 'app'), '80');
  t.equal(variables.get('hidden', 'app'), 'h', 'without a public name the id is the key');
  t.equal(variables.get('PORT', 'lib'), '80', 'the public name comes first');
  t.equal(variables.get('lib:PORT'), 'd');
  t.throws(() => variables.get('hidden'), NOT_FOUND);
  t.throws(() => variables.get('hidden', 'lib'), NOT_FOUND);
  t.throws(() => variables.get('HOME'), NOT_FOUND, 'the environment alone registers nothing');
});

test('an empty value counts as unset: the default, else not found', async (t) => {
  const variables = envVariables(
    envRegistry({
      'app:os': ['storage.os'],
      'app:a': ['variable', { variable: 'EMPTY', storage: 'app:os', default: 'd' }],
      'app:b': ['variable', { variable: 'GONE', storage: 'app:os' }],
      'app:c': ['variable', { variable: 'HOME', storage: 'app:os', default: 'd' }],
      'app:d': ['variable', { variable: 'X', storage: 'app:gone' }],
    }),
    sources,
  );
  t.equal(variables.get('EMPTY'), 'd');
  t.equal(variables.get('HOME'), '/root');
  t.throws(() => variables.get('GONE'), NOT_FOUND);
  t.throws(() => variables.get('X'), { kind: 'NotFound', message: 'environment storage backend not found' });
});

test('set writes through, and is refused where the variable or its storage is read-only', async (t) => {
  const variables = envVariables(
    envRegistry({
      'app:mem': ['storage.memory'],
      'app:os': ['storage.os'],
      'app:st': ['storage.static', {}],
      'app:a': ['variable', { variable: 'A', storage: 'app:mem' }],
      'app:ro': ['variable', { variable: 'RO', storage: 'app:mem', readonly: true }],
      'app:lang': ['variable', { variable: 'LANG', storage: 'app:os' }],
      'app:s': ['variable', { variable: 'S', storage: 'app:st' }],
    }),
    sources,
  );
  variables.set('A', '1');
  variables.set('a', '2', 'app');
  t.equal(variables.get('A'), '2');
  const denied = (message: string) => ({ kind: 'PermissionDenied', retryable: false, message });
  t.throws(() => variables.set('RO', 'x'), denied('environment variable is read-only'));
  t.throws(() => variables.set('LANG', 'x'), denied('storage is read-only'));
  t.throws(() => variables.set('S', 'x'), denied('storage is read-only'));
  t.throws(() => variables.set('GONE', 'x'), NOT_FOUND);
});

test('a router reads its members in order and writes to the first', async (t) => {
  const variables = envVariables(
    envRegistry({
      'app:outer': ['storage.router', { storages: ['app:router'] }],
      'app:router': ['storage.router', { storages: ['app:mem', 'app:os'] }],
      'app:mem': ['storage.memory'],
      'app:os': ['storage.os'],
      'app:lang': ['variable', { variable: 'LANG', storage: 'app:outer' }],
    }),
    sources,
  );
  t.equal(variables.get('LANG'), 'C');
  variables.set('LANG', 'de');
  t.equal(variables.get('LANG'), 'de');
  t.equal(variables.all().LANG, 'de', 'and it is listed');
  t.equal(osVariables.LANG, 'C');
});

test('all lists what any storage holds; one that fails is left out, and told', async (t) => {
  const failed: string[] = [];
  const variables = envVariables(
    envRegistry({
      'app:bad': ['storage.file', { file_path: '.' }],
      'app:os': ['storage.os'],
      'app:st': ['storage.static', { values: { HOME: 'second', A: '1', __proto__x: 'y' } }],
    }),
    { osVariables, root: t.testdir({}), onUnlisted: (id) => failed.push(id) },
  );
  t.strictSame(variables.all(), { HOME: '/root', LANG: 'C', EMPTY: '', A: '1', __proto__x: 'y' });
  t.strictSame(failed, ['app:bad']);
});

test('resolve: a registered variable, else the environment, else nothing', async (t) => {
  const root = t.testdir({ '.env': 'PORT=1\n' });
  const variables = envVariables(
    envRegistry({
      'app:f': ['storage.file', { file_path: '.env' }],
      'app:port': ['variable', { variable: 'PORT', storage: 'app:f' }],
      'app:lang': ['variable', { variable: 'LANG', storage: 'app:f' }],
    }),
    { osVariables, root },
  );
  t.equal(variables.resolve('PORT'), '1');
  t.equal(variables.resolve('port', 'app'), '1');
  t.equal(variables.resolve('LANG'), 'C', 'a registered one without a value');
  t.equal(variables.resolve('HOME'), '/root');
  t.equal(variables.resolve('EMPTY'), undefined);
  t.equal(variables.resolve('GONE'), undefined);
  writeFileSync(join(root, '.env'), 'PORT=12\n');
  t.equal(variables.resolve('PORT'), '12', 'a change of the file is seen');
});

import { test } from 'tap';
import { envModule } from '../../../services/env/module.ts';
import { envVariables } from '../../../services/env/variables.ts';
import { callHost, fakeThread } from '../../harness/fake-thread.ts';
import { envRegistry } from './registry.ts';

const moduleWith = (isAllowed = (_action: string, _name: string) => true) => {
  const variables = envVariables(
    envRegistry({
      'app:mem': ['storage.memory'],
      'app:os': ['storage.os'],
      'app:home': ['variable', { variable: 'HOME', storage: 'app:os' }],
      'app:a': ['variable', { variable: 'A', storage: 'app:mem' }],
      'app:5': ['variable', { variable: '5', storage: 'app:mem', default: 'five' }],
    }),
    { osVariables: { HOME: '/root', PATH: '/bin' }, root: '/nowhere' },
  );
  const { functions = {} } = envModule(variables, (_context, action, name) => isAllowed(action, name));
  return (name: string, ...args: (string | number | boolean | undefined)[]) =>
    callHost(functions[name], args, fakeThread({ programId: 'app:handler' }));
};

test('get, set and get_all', async (t) => {
  const env = moduleWith();
  t.strictSame(await env('get', 'HOME'), ['/root', undefined]);
  t.strictSame(await env('get', 'home'), ['/root', undefined], 'an entry of the caller’s namespace');
  t.strictSame(await env('get', 5), ['five', undefined], 'a number is a name');
  t.strictSame(await env('set', 'A', 1.5), [true, undefined]);
  t.strictSame(await env('get', 'A'), ['1.5', undefined]);
  t.strictSame(await env('get_all'), [{ A: '1.5', HOME: '/root', PATH: '/bin' }, undefined]);
});

test('failures are returned, wrong types raise', async (t) => {
  const env = moduleWith();
  const error = (kind: string, message: string) => [undefined, { kind, message, retryable: false }];
  t.match(await env('get', ''), error('Invalid', 'empty key'));
  t.match(await env('set', ''), error('Invalid', 'empty key'), 'before the value is looked at');
  t.match(await env('get', 'GONE'), error('NotFound', 'environment variable not found'));
  t.match(await env('set', 'HOME', 'x'), error('PermissionDenied', 'storage is read-only'));
  await t.rejects(env('get'), /bad argument #1 to 'get' \(string expected, got no value\)/);
  await t.rejects(env('get', true), /bad argument #1 to 'get' \(string expected, got boolean\)/);
  await t.rejects(env('set', 'A', true), /bad argument #2 to 'set' \(string expected, got boolean\)/);
});

test('policies deny by name', async (t) => {
  const env = moduleWith(
    (action, name) => !(action === 'env.get' && name === 'PATH') && !(action === 'env.set' && name === 'A'),
  );
  t.match(await env('get', 'PATH'), [
    undefined,
    { kind: 'PermissionDenied', message: 'not allowed to access environment variable: PATH' },
  ]);
  t.match(await env('set', 'A', '1'), [
    undefined,
    { kind: 'PermissionDenied', message: 'not allowed to set environment variable: A' },
  ]);
  t.strictSame(await env('get_all'), [{ HOME: '/root' }, undefined]);
  t.strictSame(await env('get', 'HOME'), ['/root', undefined]);
});

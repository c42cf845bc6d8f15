import { test } from 'tap';
import { parseAddress } from '../../../services/http/kinds.ts';
import { httpSurface } from '../../../services/http/surface.ts';
import { declare, type EntryText } from './fake-env.ts';
import { entriesOf } from './start-server.ts';

const problemsOf = (entry: Omit<EntryText, 'id'>): string[] =>
  declare(httpSurface, [{ id: 'app:x', ...entry } as EntryText]).problems;

test('messages of declarations.md for each kind', async (t) => {
  const router = { kind: 'http.router', meta: { server: 'app:gate' } };
  const endpoint = { kind: 'http.endpoint', meta: { router: 'app:api' }, method: 'GET', path: '/a', func: 'app:f' };
  for (const [entry, expected] of [
    [{ kind: 'http.service' }, 'address is required'],
    [{ kind: 'http.service', addr: '' }, 'address is required'],
    [{ kind: 'http.service', addr: 'localhost' }, /host:port/],
    [{ kind: 'http.service', addr: ':70000' }, /0 to 65535/],
    [{ kind: 'http.service', addr: ':1', timeouts: { read: '-1s' } }, 'timeouts.read must be non-negative'],
    [{ kind: 'http.service', addr: ':1', host: { buffer_size: -1 } }, /non-negative/],
    [{ kind: 'http.service', addr: ':1', tls: { mode: 'odd' } }, /invalid tls.mode: odd/],
    [{ kind: 'http.service', addr: ':1', tls: { cert: 'x' } }, /tls.mode=off must not set/],
    [{ kind: 'http.service', addr: ':1', tls: { mode: 'manual' } }, /not available in this version/],
    [{ kind: 'http.router' }, 'server metadata is required'],
    [{ ...router, middleware: ['cors'] }, /middleware\[0\]: middleware 'cors' is not available in this version/],
    [{ ...router, post_middleware: ['metrics', 'nope'] }, /post_middleware\[1\]: unknown middleware 'nope'/],
    [{ ...router, prefix: 'api' }, /prefix must start with \//],
    [{ ...endpoint, meta: {} }, 'router metadata is required'],
    [{ ...endpoint, method: undefined }, 'method is required'],
    [{ ...endpoint, method: 'get' }, 'invalid HTTP method: get'],
    [{ ...endpoint, path: '' }, /path is required/],
    [{ ...endpoint, path: 'a' }, /path must start with \//],
    [{ ...endpoint, path: '/{a' }, /whole segment/],
    [{ ...endpoint, func: undefined }, 'function name is required'],
  ] as const) {
    t.match(problemsOf(entry)[0], expected, JSON.stringify(entry));
  }
  for (const good of [
    { kind: 'http.service', addr: ':0', timeouts: { read: '1m30s', write: 5e9 }, tls: { mode: '' } },
    { ...router, prefix: '/api/', middleware: ['metrics', 'otel'], options: { 'cors.max.age': 5 } },
    endpoint,
  ]) {
    t.same(problemsOf(good), [], JSON.stringify(good));
  }
});

test('addresses', async (t) => {
  t.same(parseAddress(':8080'), { host: undefined, port: 8080 });
  t.same(parseAddress('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  t.same(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  for (const bad of ['8080', 'a:b', ':65536', '::1:80', '']) t.equal(parseAddress(bad), undefined, bad);
});

const buildErrors = (entries: readonly EntryText[]): string => {
  const { registry, problems } = declare(httpSurface, entries);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const found = httpSurface.check?.(registry) ?? [];
  return found.map(({ id, path, message }) => `${id}: ${path}: ${message}`).join('\n');
};

test('rule 96: routes and prefixes that conflict are problems with their places before anything starts', async (t) => {
  t.equal(buildErrors(entriesOf({ 'GET /a/{x}': 1, 'POST /a/{y}': 1, 'GET /a/b': 1, 'GET /a/': 1 })), '');
  t.equal(
    buildErrors(entriesOf({ 'GET /a/{x}': 1, 'GET /a/:y': 1 }, { prefix: '/v1' })),
    'app:get.1: path: Conflict: GET /v1/a/:y matches the same requests as GET /v1/a/{x} of app:get.0. Change one of the two.',
  );
  const second = { id: 'app:api2', kind: 'http.router', meta: { server: 'app:gate' }, prefix: '/' };
  t.match(buildErrors([...entriesOf({}), second]), /AlreadyExists: prefix '' is used by app:api/);
  t.equal(buildErrors([...entriesOf({}, { prefix: '/v1' }), second]), '');
  t.match(buildErrors(entriesOf({ 'GET /{x}': 1 }, { prefix: '/{x}' })), /parameter 'x' occurs twice/);
});

import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { table } from '../http/fake-env.ts';
import { guardedContext } from '../security/guarded-context.ts';
import { type Respond, startTarget } from './start-target.ts';

type Allowed = (action: string, resource: string) => boolean;
const ok: Respond = (res) => void res.end('ok');

/** A target, and `ask` under policies that allow what `allowed` says; `checks` is what was asked for, in order. */
const guarded = async (
  t: Parameters<typeof startTarget>[0],
  allowed: Allowed,
  routes = { '/a': ok } as Record<string, Respond>,
) => {
  const app = await startTarget(t, routes);
  const { context, checks } = guardedContext(allowed);
  const lua = app.lua(context);
  const ask = (name: string, ...args: LuaValue[]) => lua.call('http_client', name, ...args);
  return { ...app, free: app.ask, ask, checks };
};
const denied = (message: string) => [null, { kind: 'PermissionDenied', retryable: false, message }];
const list = (...items: LuaValue[]) => new LuaTable(new Map(items.map((item, i) => [i + 1, item])));

test('a request asks for its URL, then for the private address that it goes to', async (t) => {
  const app = await guarded(t, () => true);
  t.match(await app.ask('get', `${app.base}/a`), [{ status_code: 200 }, null]);
  t.same(app.checks, [`http_client.request ${app.base}/a`, 'http_client.private_ip 127.0.0.1']);
  await app.ask('get', `${app.base}/x/../a?b=1#c`);
  t.equal(app.checks[2], `http_client.request ${app.base}/a?b=1`, 'in its normal form, as it is sent');
  const none = await guarded(t, () => false);
  t.match(await none.ask('get', `${none.base}/a`), denied(`not allowed: ${none.base}/a`));
  const outside = await guarded(t, (action) => action === 'http_client.request');
  t.match(await outside.ask('get', `${outside.base}/a`), denied('not allowed: 127.0.0.1'));
  t.equal(none.requests.length + outside.requests.length, 0, 'nothing was sent');
});

test('a name is followed to its addresses, and no connection of others is used for it', async (t) => {
  const app = await guarded(t, (action) => action === 'http_client.request');
  const named = `http://localhost:${app.port}/a`;
  t.match(await app.free('get', named), [{ status_code: 200 }, null], 'a pooled connection to it is there now');
  const [, error] = await app.ask('get', named);
  t.match(error, { kind: 'PermissionDenied', message: /^not allowed: (127\.0\.0\.1|::1)$/ });
  t.equal(app.requests.length, 1);
  const allowed = await guarded(t, () => true);
  t.match(await allowed.ask('get', `http://localhost:${allowed.port}/a`), [{ status_code: 200 }, null]);
  t.equal(allowed.requests.length, 1, 'sent once');
  t.ok(allowed.checks.some((check) => check.startsWith('http_client.private_ip ')));
});

test('a redirect is checked like a request of its own', async (t) => {
  const away: Respond = (res) => void res.writeHead(302, { Location: '/b' }).end();
  const app = await guarded(t, (_action, resource) => !resource.endsWith('/b'), { '/a': away, '/b': ok });
  t.match(await app.ask('get', `${app.base}/a`), denied(`not allowed: ${app.base}/b`));
  t.same(
    app.requests.map(({ url }) => url),
    ['/a'],
  );
});

test('sockets, TLS that is not verified and networks have permissions of their own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'unix-socket-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 's');
  const server = http.createServer((_req, res) => res.end('socket')).listen(path);
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const open = await guarded(t, (action) => action !== 'http_client.private_ip');
  const socket = table({ unix_socket: path });
  t.match(await open.ask('get', 'http://127.0.0.1/x', socket), [{ body: 'socket' }, null], 'no address is looked at');
  t.same(open.checks, ['http_client.request http://127.0.0.1/x', `http_client.unix_socket ${path}`]);
  const shut = await guarded(t, (action) => action === 'http_client.request');
  t.match(await shut.ask('get', 'http://127.0.0.1/x', socket), denied(`not allowed: ${path}`));
  const insecure = table({ tls: table({ insecure_skip_verify: true }) });
  t.match(await shut.ask('get', 'https://h/x', insecure), denied('not allowed: https://h/x'));
  t.equal(shut.checks.at(-1), 'http_client.insecure_tls https://h/x');
  const network = table({ overlay_network: 'app:net' });
  t.match(await shut.ask('get', 'http://h/x', network), denied('not allowed: app:net'));
  t.match(await open.ask('get', 'http://h/x', network), [
    null,
    { kind: 'Internal', retryable: true, message: 'network not found: app:net' },
  ]);
});

test('one denied request of a batch denies all, before anything is sent', async (t) => {
  const app = await guarded(t, (_action, resource) => !resource.endsWith('/b'), { '/a': ok, '/b': ok });
  const batch = list(list('GET', `${app.base}/a`), list('GET', 'no url'), list('GET', `${app.base}/b`));
  t.match(await app.ask('request_batch', batch), denied(`not allowed: ${app.base}/b`));
  t.equal(app.requests.length, 0);
  const [responses, errors] = await app.free('request_batch', batch);
  t.equal(app.requests.length, 2, 'without policies they go out');
  t.match((responses as unknown as LuaTable).get(1), { status_code: 200 });
  t.match((errors as unknown as LuaTable).get(2), { kind: 'Internal' });
});

import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { canceled } from '../../../runtime/errors.ts';
import { LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { poll } from '../../harness/poll.ts';
import { table } from '../http/fake-env.ts';
import { type Respond, startTarget } from './start-target.ts';

const ok: Respond = (res) => void res.end('ok');
const never: Respond = () => {};
const redirect =
  (status: number, location: string): Respond =>
  (res) =>
    void res.writeHead(status, { Location: location }).end('moved');

test('a response is a table with canonical header names; statuses from 400 on are successes', async (t) => {
  const app = await startTarget(t, {
    '/a': (res) => {
      res.writeHead(
        418,
        [
          ['x-custom-header', 'one'],
          ['x-custom-header', 'two'],
          ['Set-Cookie', 'a="1"; Path=/'],
          ['Set-Cookie', 'b=2'],
        ].flat(),
      );
      res.end(Buffer.from([0xff, 0]));
    },
    '/empty': (res) => void res.writeHead(204).end(),
  });
  const [got, error] = await app.ask('get', `${app.base}/a`);
  t.equal(error, null);
  t.match(got, {
    status_code: 418,
    url: `${app.base}/a`,
    headers: { 'X-Custom-Header': 'one' },
    cookies: { a: '1', b: '2' },
    body_size: 2,
  });
  t.same(got?.body, Buffer.from([0xff, 0]));
  const [empty] = await app.ask('get', `${app.base}/empty`);
  t.match(empty, { status_code: 204, body_size: 0 });
  t.equal(empty?.body, undefined);
  t.equal(empty?.cookies, undefined);
});

test('options make the request; those of a wrong type are ignored', async (t) => {
  const app = await startTarget(t, { '/a': ok });
  const ask = async (method: string, options: Record<string, LuaValue>) => {
    await app.ask('request', method, `${app.base}/a?keep=1&q=old`, table(options));
    return app.requests.at(-1);
  };
  t.match(
    await ask('post', {
      body: 'text',
      headers: table({ 'X-A': '1', 'Content-Length': '99' }),
      query: table({ q: 'a b' }),
    }),
    {
      method: 'POST',
      url: '/a?keep=1&q=a+b',
      body: 'text',
      headers: { 'x-a': '1', 'content-length': '4', 'user-agent': 'perilune/0.0.0', 'content-type': undefined },
    },
  );
  t.match(await ask('PUT', { form: table({ a: '1&2' }), body: 'lost' }), {
    body: 'a=1%262',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  t.match(await ask('GET', { cookies: table({ c: 'd' }), auth: table({ user: 'ann', pass: 'pw' }) }), {
    headers: { cookie: 'c=d', authorization: `Basic ${Buffer.from('ann:pw').toString('base64')}` },
  });
  t.match(await ask('DELETE', { body: table({}), headers: 'x', query: 5, timeout: table({}), cookies: true, tls: 1 }), {
    method: 'DELETE',
    url: '/a?keep=1&q=old',
    body: '',
  });
  await app.ask('get', `http://ann:pw@127.0.0.1:${app.port}/a`);
  t.match(app.requests.at(-1)?.headers, { authorization: `Basic ${Buffer.from('ann:pw').toString('base64')}` });
});

test('rule 48: a header that Lua sets goes out once, whatever its case, and wins over ours', async (t) => {
  const app = await startTarget(t, { '/a': ok });
  const headers = new LuaTable(
    new Map([
      ['user-agent', 'lua'],
      ['X-A', '1'],
      ['x-a', '2'],
      ['Accept-Encoding', 'identity'],
    ]),
  );
  await app.ask('get', `${app.base}/a`, table({ headers }));
  const names = (app.requests[0]?.raw ?? []).filter((_item, i) => i % 2 === 0).map((name) => name.toLowerCase());
  t.equal(new Set(names).size, names.length);
  t.match(app.requests[0]?.headers, { 'user-agent': 'lua', 'x-a': '2', 'accept-encoding': 'identity' });
});

test('the trace goes out once, also where Lua sets headers of its own; without a trace those go out', async (t) => {
  const spans = {
    function: true,
    http: false,
    queue: true,
    process: true,
    processLifecycle: true,
    kv: false,
    sql: false,
    cdc: false,
  };
  const app = await startTarget(t, { '/a': ok }, { settings: { spans } });
  const headers = table({ Traceparent: 'mine', tracestate: 'x=1' });
  await app.ask('get', `${app.base}/a`, table({ headers }));
  t.match(app.requests[0]?.headers, { traceparent: 'mine', tracestate: 'x=1' });
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1, isRemote: false };
  await app.lua(rootContext.with(TRACE, trace)).call('http_client', 'get', `${app.base}/a`, table({ headers }));
  t.equal(app.requests[1]?.raw.filter((name) => name.toLowerCase() === 'traceparent').length, 1);
  t.match(app.requests[1]?.headers, { traceparent: `00-${trace.traceId}-${trace.spanId}-01`, tracestate: undefined });
});

test('rules 12, 24: every outcome is counted by method, host and status, never by path', async (t) => {
  const app = await startTarget(t, { '/a': ok, '/never': never });
  await app.ask('get', `${app.base}/a?x=1`);
  await app.ask('get', `${app.base}/b`);
  await app.ask('request', 'propfind', `${app.base}/c`);
  await app.ask('get', `${app.base}/never`, table({ timeout: '50ms' }));
  await app.ask('get', 'http://127.0.0.1:1/'); // refused
  const counts = [
    `host=127.0.0.1:1,method=GET,status=error 1`,
    `host=${app.host},method=GET,status=200 1`,
    `host=${app.host},method=GET,status=404 1`,
    `host=${app.host},method=GET,status=error 1`,
    `host=${app.host},method=_OTHER,status=404 1`,
  ].sort();
  t.same(app.rows('wippy_http_client_requests_total'), counts);
  t.same(app.rows('wippy_http_client_request_duration_seconds'), counts);
  const lines = app.lines.filter((line) => line.message === 'outgoing request').map((line) => line.level);
  t.same(lines, ['debug', 'debug', 'debug', 'warn', 'warn']);
});

test('rule 24: hosts beyond the thousandth share one series', async (t) => {
  const app = await startTarget(t, {}, { settings: { blockPrivateIps: true } });
  for (let i = 0; i < 1005; i += 1) {
    // Refused before any socket: the host is what counts here.
    const [, error] = await app.ask('get', `http://10.0.${i >> 8}.${i & 255}/`);
    if (i === 0) t.match(error, { kind: 'PermissionDenied', message: 'not allowed: 10.0.0.0' });
  }
  const rows = app.rows('wippy_http_client_requests_total');
  t.equal(rows.length, 1001);
  t.ok(rows.includes('host=other,method=GET,status=error 5'));
});

test('redirects: method and body are kept by 307 and 308 only, and another host gets no secrets', async (t) => {
  const other = await startTarget(t, { '/there': ok });
  const app = await startTarget(t, {
    '/end': ok,
    '/303': redirect(303, 'end'),
    '/307': redirect(307, '/end'),
    '/away': redirect(302, `${other.base}/there`),
    '/loop': redirect(302, '/loop'),
    '/bad': redirect(302, 'http://[bad'),
    '/ftp': redirect(302, 'ftp://x/'),
    '/nowhere': (res) => void res.writeHead(302).end(),
  });
  const options = table({ body: 'b', headers: table({ Authorization: 'secret', 'Content-Type': 'x/y' }) });
  t.match(await app.ask('post', `${app.base}/303`, options), [{ status_code: 200, url: `${app.base}/end` }, null]);
  t.match(app.requests.at(-1), {
    method: 'GET',
    body: '',
    headers: { authorization: 'secret', 'content-type': undefined },
  });
  await app.ask('post', `${app.base}/307`, options);
  t.match(app.requests.at(-1), { method: 'POST', body: 'b', headers: { 'content-type': 'x/y' } });
  t.match(await app.ask('post', `${app.base}/away`, options), [{ url: `${other.base}/there` }, null]);
  t.equal(other.requests[0]?.headers.authorization, undefined);
  t.match(await app.ask('get', `${app.base}/nowhere`), [{ status_code: 302 }, null]);
  app.requests.length = 0;
  t.match(await app.ask('get', `${app.base}/loop`), [
    null,
    { kind: 'Internal', retryable: true, message: 'stopped after 10 redirects' },
  ]);
  t.equal(app.requests.length, 11);
  t.match(await app.ask('get', `${app.base}/bad`), [null, { kind: 'Internal', message: /malformed redirect/ }]);
  t.match(await app.ask('get', `${app.base}/ftp`), [
    null,
    { kind: 'Internal', message: /unsupported protocol scheme 'ftp'/ },
  ]);
});

test('gzip is transparent unless the program asks for an encoding itself', async (t) => {
  const zipped = zlib.gzipSync('x'.repeat(5000));
  const app = await startTarget(t, {
    '/zip': (res) =>
      void res.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': zipped.length }).end(zipped),
    '/broken': (res) => void res.writeHead(200, { 'Content-Encoding': 'gzip' }).end('no gzip'),
  });
  const [got] = await app.ask('get', `${app.base}/zip`);
  t.equal(app.requests[0]?.headers['accept-encoding'], 'gzip');
  t.equal(got?.body_size, 5000);
  t.strictSame(
    Object.keys(got?.headers as object).filter((name) => /Content-(Encoding|Length)/.test(name)),
    [],
  );
  const [raw] = await app.ask('get', `${app.base}/zip`, table({ headers: table({ 'accept-encoding': 'gzip' }) }));
  t.equal(raw?.body_size, zipped.length);
  t.match(await app.ask('head', `${app.base}/zip`), [{ status_code: 200, body_size: 0 }, null]);
  t.match(await app.ask('get', `${app.base}/broken`), [null, { kind: 'Internal', retryable: true }]);
  const [, large] = await app.ask('get', `${app.base}/zip`, table({ max_response_body: 100 }));
  t.match(large, { kind: 'Internal', retryable: true, message: 'response body too large (max 100 bytes)' });
});

test('the timeout covers the body; a cancelled call stops its request with its own reason', async (t) => {
  const app = await startTarget(t, {
    '/half': (res) => void res.writeHead(200, { 'Content-Length': 10 }).write('half'),
    '/never': never,
    '/cut': (res) => void res.writeHead(200, { 'Content-Length': 10 }).write('half', () => res.destroy()),
  });
  t.match(await app.ask('get', `${app.base}/half`, table({ timeout: 0.1 })), [
    null,
    { kind: 'Internal', retryable: true, message: 'request timed out after 100ms' },
  ]);
  t.match(await app.ask('get', `${app.base}/cut`), [null, { kind: 'Internal', retryable: true }]);
  const controller = new AbortController();
  const lua = app.lua(rootContext.withSignal(controller.signal));
  const pending = lua.call('http_client', 'get', `${app.base}/never`);
  await poll('the request arrives', () => app.requests.length === 3);
  controller.abort(canceled('enough'));
  t.match(await pending, [null, { kind: 'Canceled', message: 'enough' }]);
  await poll('its connection closes', () => [...app.sockets].every((socket) => socket.destroyed));
});

test('rule 49: connections are pooled, taken anew when the server closed one, and closed at the stop', async (t) => {
  const app = await startTarget(t, { '/a': ok });
  for (let i = 0; i < 5; i += 1) await app.ask('get', `${app.base}/a`);
  t.equal(app.sockets.size, 1);
  app.server.closeIdleConnections();
  t.match(await app.ask('get', `${app.base}/a`), [{ status_code: 200 }, null]);
  t.equal(app.sockets.size, 2);
  await app.component?.stop?.();
  await poll('all are closed', () => [...app.sockets].every((socket) => socket.destroyed));
  t.match(await app.ask('get', `${app.base}/a`), [{ status_code: 200 }, null]);
});

test('a stale pooled connection is not the caller’s problem, where the request may be sent twice', async (t) => {
  let isFirst = true;
  const app = await startTarget(t, {
    '/a': ok,
    '/reset': (res) => {
      if (!isFirst) return void res.end('again');
      isFirst = false;
      res.socket?.resetAndDestroy();
    },
  });
  await app.ask('get', `${app.base}/a`);
  t.match(await app.ask('get', `${app.base}/reset`), [{ body: 'again' }, null]);
  isFirst = true;
  t.match(await app.ask('post', `${app.base}/reset`), [null, { kind: 'Internal', retryable: true }]);
});

test('private addresses are refused where the boot file says so, written out or resolved', async (t) => {
  const open = await startTarget(t, { '/a': ok });
  t.match(await open.ask('get', `http://localhost:${open.port}/a`), [{ status_code: 200 }, null]);
  const app = await startTarget(t, { '/a': ok }, { settings: { blockPrivateIps: true } });
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:10.0.0.1]', '169.254.169.254', '0', '192.168.1.1']) {
    const [, error] = await app.ask('get', `http://${host}:${app.port}/a`);
    t.match(error, { kind: 'PermissionDenied', retryable: false, message: /^not allowed: / }, host);
  }
  t.equal(app.requests.length, 0);
  const strict = await startTarget(t, { '/a': ok }, { settings: { strictSecurity: true } });
  t.match(await strict.ask('get', `${strict.base}/a`), [null, { kind: 'PermissionDenied' }]);
});

test('a unix socket is connected to, whatever the host', async (t) => {
  // Not tap's own folder: a socket's path is at most 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'unix-socket-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 's');
  const server = http.createServer((req, res) => res.end(`${req.headers.host} ${req.url}`)).listen(path);
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const app = await startTarget(t, {}, { settings: { blockPrivateIps: true } });
  t.match(await app.ask('get', 'http://docker/info', table({ unix_socket: path })), [{ body: 'docker /info' }, null]);
});

test('a request runs in the scope where third parties look for the context', async (t) => {
  let scopes = 0;
  const thirdParty = {
    run<T>(_context: unknown, body: () => T): T {
      scopes += 1;
      return body();
    },
    tracesRequests: () => false,
  };
  const app = await startTarget(t, { '/a': ok }, { thirdParty });
  await app.ask('get', `${app.base}/a`);
  t.equal(scopes, 1);
});

test('request_batch keeps the order, and tells failures apart', async (t) => {
  const app = await startTarget(t, { '/a': ok, '/b': ok });
  const list = (...items: LuaValue[]) => new LuaTable(new Map(items.map((item, i) => [i + 1, item])));
  const at = (value: unknown, i: number) => (value as LuaTable | null)?.get(i);
  const good = await app.ask(
    'request_batch',
    list(list('get', `${app.base}/a`), list('POST', `${app.base}/b`, table({ body: 'x' }))),
  );
  t.match(at(good[0], 2), { status_code: 200 });
  t.equal(good[1], null);
  t.same(app.requests.map((one) => one.method).sort(), ['GET', 'POST']);
  const mixed = await app.ask('request_batch', list(list('GET', 'nonsense'), list('GET', `${app.base}/a`)));
  t.equal(at(mixed[0], 1), undefined);
  t.match(at(mixed[0], 2), { status_code: 200 });
  t.match(at(mixed[1], 1), { kind: 'Internal', retryable: true });
  for (const [item, message] of [
    ['x', 'each request must be a table'],
    [list(1, 'u'), 'method must be a string'],
    [list('GET', 1), 'URL must be a string'],
    [list('GET', 'u', table({ stream: true })), 'streaming not supported in batch requests'],
  ] as const) {
    t.match(await app.ask('request_batch', list(item)), [null, { kind: 'Invalid', message }]);
  }
  await t.rejects(app.ask('request_batch', list()), /requests table cannot be empty/);
});

test('wrong arguments raise, unusable URLs are errors', async (t) => {
  const app = await startTarget(t, {});
  await t.rejects(app.ask('get'), /string expected, got no value/);
  await t.rejects(app.ask('get', ''), /URL required/);
  await t.rejects(app.ask('request', '', 'http://x'), /method required/);
  await t.rejects(app.ask('get', 'http://x', 'options'), /table expected/);
  for (const url of ['nonsense', 'ftp://x/', 'http://']) {
    t.match(await app.ask('get', url), [null, { kind: 'Internal', retryable: true }], url);
  }
  t.match(await app.ask('request', 'bad method', 'http://127.0.0.1:1/'), [null, { kind: 'Internal' }]);
});

test('encode_uri and decode_uri are each other’s inverse, bytes included', async (t) => {
  const app = await startTarget(t, {});
  t.same(await app.ask('encode_uri', 'a b&c/é~'), ['a+b%26c%2F%C3%A9~']);
  t.same(await app.ask('decode_uri', 'a+b%26c%2f%C3%A9~'), ['a b&c/é~', null]);
  t.same(await app.ask('encode_uri', new Uint8Array([0xff])), ['%FF']);
  t.same(await app.ask('decode_uri', '%FF'), [new Uint8Array([0xff]), null]);
  t.match(await app.ask('decode_uri', 'a%2'), [null, { kind: 'Invalid', retryable: false }]);
  await t.rejects(app.ask('encode_uri', 5), /string expected, got number/);
});

import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import type { CallError } from '../../../runtime/errors.ts';
import { LuaTable } from '../../../runtime/lua/values.ts';
import { httpSurface } from '../../../services/http/surface.ts';
import { poll } from '../../harness/poll.ts';
import { type FakeLua, fakeEnv, handler, table } from './fake-env.ts';
import { startServer } from './start-server.ts';

const request = async (lua: FakeLua, options?: LuaTable) => (await lua.call('http', 'request', options))[0];
const response = async (lua: FakeLua) => (await lua.call('http', 'response'))[0];
const raised = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'nothing was raised';
  } catch (error) {
    return String(error);
  }
};

test('without an exchange both constructors return an Internal error; options of a wrong type raise', async (t) => {
  const fake = fakeEnv();
  httpSurface.build(fake.env);
  const lua = fake.lua(rootContext);
  for (const name of ['request', 'response']) {
    t.match(await lua.call('http', name), [null, { kind: 'Internal', message: 'no HTTP request context found' }]);
  }
  t.match(await raised(lua.call('http', 'request', 'x')), /table expected, got string/);
  t.match(fake.modules.get('http')?.constants, {
    STATUS: { UNPROCESSABLE: 422 },
    TRANSFER: { SSE: 'sse' },
    ERROR: { WRITE_FAILED: 'WRITE_FAILED' },
  });
});

test('the exchange is private to the function that the endpoint calls', async (t) => {
  const seen: unknown[] = [];
  const app = await startServer(t, {
    'GET /a': handler(async (lua, context) => {
      seen.push((await lua.call('http', 'request'))[1]);
      seen.push((await app.lua(context.inherited()).call('http', 'request'))[1]);
    }),
  });
  await app.send('GET', '/a');
  t.match(seen, [null, { message: 'no HTTP request context found' }]);
});

test('everything that a request tells', async (t) => {
  const seen: Record<string, unknown> = {};
  const app = await startServer(t, {
    'POST /o/{id}/x': handler(async (lua) => {
      const req = await request(lua);
      for (const name of [
        'method',
        'path',
        'query_params',
        'content_type',
        'content_length',
        'host',
        'remote_addr',
        'params',
        'has_body',
      ]) {
        seen[name] = (await lua.method(req, name))[0];
      }
      for (const name of ['a', 'empty', 'nope']) seen[`query ${name}`] = (await lua.method(req, 'query', name))[0];
      for (const name of ['X-Many', 'x-many', 'X-Nope', 'X-Text'])
        seen[name] = (await lua.method(req, 'header', name))[0];
      for (const name of ['id', 'nope']) seen[`param ${name}`] = (await lua.method(req, 'param', name))[0];
      for (const type of ['application/json', 'text/html', 'image/png'])
        seen[type] = (await lua.method(req, 'accepts', type))[0];
      seen.is = (await lua.method(req, 'is_content_type', 'text/'))[0];
      seen.text = lua.text(req);
      seen.bad = await raised(lua.method(req, 'header', table({})));
    }),
  });
  await app.send('POST', '/o/a%20b/x?a=1&b=2&a=3&empty=', {
    headers: {
      'X-Many': ['1', '2'],
      'X-Text': Buffer.from('é', 'utf8').toString('latin1'),
      'Content-Type': 'text/csv',
      Accept: 'application/json, text/html;q=0.9',
    },
    body: 'xyz',
  });
  t.match(seen, {
    method: 'POST',
    path: '/o/a b/x',
    query_params: { a: '1,3', b: '2', empty: '' },
    content_type: 'text/csv',
    content_length: 3,
    host: `127.0.0.1:${app.port}`,
    remote_addr: /^127\.0\.0\.1:\d+$/,
    params: { id: 'a b' },
    has_body: true,
    'query a': '1',
    'query empty': '',
    'query nope': null,
    'X-Many': '1, 2',
    'x-many': '1, 2',
    'X-Nope': undefined,
    'X-Text': 'é',
    'param id': 'a b',
    'param nope': undefined,
    'application/json': true,
    'text/html': false,
    'image/png': false,
    is: true,
    text: 'http.Request{method=POST, path=/o/a b/x}',
    bad: /bad argument #1 to 'header'/,
  });
});

test('a body is read once, within its limits, and as bytes', async (t) => {
  const seen: unknown[] = [];
  const bodyWith = (options?: LuaTable, method = 'body') =>
    handler(async (lua) => {
      const req = await request(lua, options);
      seen.push(await lua.method(req, method), await lua.method(req, method));
      await lua.method(await response(lua), 'set_status', 200);
    });
  const app = await startServer(t, {
    'POST /body': bodyWith(),
    'POST /small': bodyWith(table({ max_body: 3, timeout: 'ignored' })),
    'POST /json': bodyWith(undefined, 'body_json'),
  });
  const post = async (path: string, body: string | Uint8Array, headers = {}) => {
    seen.length = 0;
    const got = await app.send('POST', path, { body, headers });
    return { seen: [...seen], got };
  };
  t.same((await post('/body', 'text')).seen, [
    ['text', null],
    ['', null],
  ]);
  t.same((await post('/body', Buffer.from([0xff, 0]))).seen[0], [Buffer.from([0xff, 0]), null]);
  t.same((await post('/body', '')).seen[0], ['', null]);
  t.same((await post('/body', 'chunked', { 'Transfer-Encoding': 'chunked' })).seen[0], ['chunked', null]);
  for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
    const { seen: large, got } = await post('/small', 'four', headers);
    t.match(large, [
      [null, { kind: 'Invalid', message: 'request body too large' }],
      ['', null],
    ]);
    t.match(got, { status: 200, headers: { connection: 'close' } });
  }
  const json = (await post('/json', '{"a":[1]}')).seen as [[LuaTable, null], [null, CallError]];
  t.equal((json[0][0].get('a') as LuaTable).get(1), 1);
  t.match(json[1], [null, { kind: 'Invalid' }]);
  t.match((await post('/json', '{"a":')).seen[0], [null, { kind: 'Invalid', retryable: false }]);
});

test('a body that does not come in time, or breaks off, is an Internal error', async (t) => {
  const seen: unknown[] = [];
  const app = await startServer(t, {
    'POST /a': handler(async (lua) => {
      seen.push(await lua.method(await request(lua, table({ timeout: 60 })), 'body'));
      await lua.method(await response(lua), 'set_status', 408);
    }),
    'POST /b': handler(async (lua) => {
      seen.push(await lua.method(await request(lua), 'body'));
    }),
  });
  const half = (path: string) => {
    const outgoing = app.open('POST', path, { 'Content-Length': 10 });
    outgoing.on('error', () => {});
    outgoing.write('half');
    return outgoing;
  };
  const slow = half('/a');
  await poll('the timeout', () => seen.length === 1);
  t.match(seen[0], [null, { kind: 'Internal', message: 'request timeout after 60ms' }]);
  slow.destroy();
  const broken = half('/b');
  await wait(50);
  broken.destroy();
  await poll('the broken body', () => seen.length === 2);
  t.match(seen[1], [null, { kind: 'Internal', message: /closed the connection/ }]);
});

test('setters and writers: what each does, and what each refuses after the headers', async (t) => {
  const seen: Record<string, unknown> = {};
  const app = await startServer(t, {
    'GET /json': handler(async (lua) => {
      const res = await response(lua);
      seen.ok = await lua.method(res, 'set_header', 'X-Own', 'née');
      seen.badName = (await lua.method(res, 'set_header', 'bad name', 'x'))[0];
      await lua.method(res, 'set_status', 201);
      seen.header = (await lua.method(res, 'set_header', 'X', '1'))[0];
      seen.type = (await lua.method(res, 'set_content_type', 'x/y'))[0];
      seen.transfer = (await lua.method(res, 'set_transfer', 'chunked'))[0];
      seen.event = (await lua.method(res, 'write_event', table({ name: 'n', data: 1 })))[0];
      seen.cycle = (
        await lua.method(
          res,
          'write_json',
          new LuaTable(
            new Map<string | number, number>([
              ['a', 1],
              [1, 2],
            ]),
          ),
        )
      )[0];
      await lua.method(res, 'write_json', table({ a: 1 }));
      seen.text = lua.text(res);
    }),
    'GET /typed': handler(async (lua) => {
      const res = await response(lua);
      await lua.method(res, 'set_content_type', 'text/csv');
      await lua.method(res, 'write', 'a,b');
      await lua.method(res, 'write', 1);
    }),
    'GET /raises': handler(async (lua) => {
      const res = await response(lua);
      seen.raises = [
        await raised(lua.method(res, 'set_transfer', 'gzip')),
        await raised(lua.method(res, 'set_status', 'many')),
        await raised(lua.method(res, 'write_event', 'x')),
        await raised(lua.method(res, 'write_event', table({ name: '', data: 1 }))),
        await raised(lua.method(res, 'write_event', table({ name: 'n' }))),
        await raised(lua.method(res, 'write', table({}))),
      ].join('\n');
      seen.range = (await lua.method(res, 'set_status', 99))[0];
      await lua.method(res, 'set_status', 299);
    }),
    'GET /empty': handler(async (lua) => lua.method(await response(lua), 'set_status', 204)),
    'GET /short': handler(async (lua) => {
      const res = await response(lua);
      await lua.method(res, 'set_header', 'Content-Length', '10');
      await lua.method(res, 'write', 'short');
    }),
  });
  const json = await app.send('GET', '/json');
  t.match(json, {
    status: 201,
    body: '{"a":1}',
    headers: { 'content-type': 'application/json', 'content-length': '7' },
  });
  t.equal(Buffer.from(json.headers['x-own'] as string, 'latin1').toString('utf8'), 'née');
  t.match(seen, {
    ok: [undefined],
    badName: { kind: 'Invalid' },
    header: { kind: 'Invalid', message: 'cannot set headers after they are sent' },
    type: { message: 'cannot set content type after headers are sent' },
    transfer: { message: 'cannot set transfer mode after headers are sent' },
    event: { message: 'cannot switch to SSE mode after headers are sent' },
    cycle: { kind: 'Invalid' },
    text: 'http.Response{}',
  });
  t.match(await app.send('GET', '/typed'), { status: 200, body: 'a,b1', headers: { 'content-type': 'text/csv' } });
  t.equal((await app.send('GET', '/raises')).status, 299);
  t.match(
    seen.raises,
    /invalid transfer type.*number expected.*table expected.*missing event name.*missing event data.*string expected/s,
  );
  t.match(seen.range, { kind: 'Invalid' });
  const empty = await app.send('GET', '/empty');
  t.equal(empty.status, 204);
  t.equal(empty.headers['content-length'], undefined);
  await t.rejects(app.send('GET', '/short'), 'a body that breaks its promise ends the connection');
});

test('small bodies get a length; chunked, flushed and large ones are chunked, and nothing is lost', async (t) => {
  const large = 'x'.repeat(1_000_000);
  const app = await startServer(t, {
    'GET /chunked': handler(async (lua) => {
      const res = await response(lua);
      await lua.method(res, 'set_transfer', 'chunked');
      await lua.method(res, 'set_content_type', 'text/plain');
      await lua.method(res, 'set_status', 200);
      for (const part of ['a', 'b', 'c']) await lua.method(res, 'write', part);
    }),
    'GET /flush': handler(async (lua) => {
      const res = await response(lua);
      await lua.method(res, 'write', 'a');
      await lua.method(res, 'flush');
      await lua.method(res, 'write', 'b');
    }),
    'GET /large': handler(async (lua) => {
      const res = await response(lua);
      await lua.method(res, 'write', 'head ');
      for (let i = 0; i < 4; i += 1) await lua.method(res, 'write', large);
    }),
  });
  const chunked = await app.send('GET', '/chunked');
  t.match(chunked, { body: 'abc', headers: { 'transfer-encoding': 'chunked', 'cache-control': 'no-cache' } });
  t.match(await app.send('GET', '/flush'), { body: 'ab', headers: { 'transfer-encoding': 'chunked' } });
  const got = await app.send('GET', '/large');
  t.equal(got.body.length, 5 + 4 * large.length);
  t.equal(got.headers['transfer-encoding'], 'chunked');
});

test('rule 102: a client that does not read suspends the writer, and is cut after the write timeout', async (t) => {
  const chunk = new Uint8Array(1024 * 1024);
  let writes = 0;
  let failure: unknown;
  const app = await startServer(
    t,
    {
      'GET /a': handler(async (lua) => {
        const res = await response(lua);
        await lua.method(res, 'flush');
        for (; failure === undefined && writes < 1000; writes += 1)
          failure = (await lua.method(res, 'write', chunk))[0];
      }),
    },
    { service: { timeouts: { write: '200ms' } } },
  );
  const outgoing = app.open('GET', '/a');
  outgoing.on('error', () => {});
  outgoing.on('response', (incoming) => {
    incoming.pause();
    incoming.on('error', () => {});
  });
  outgoing.end();
  await poll('the cut', () => failure);
  t.match(failure, { kind: 'Internal', message: 'client closed the connection' });
  t.ok(writes < 1000, 'memory was not filled');
  await poll('the end', () => app.spans().length === 1);
});

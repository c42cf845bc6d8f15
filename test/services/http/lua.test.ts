import { connect } from 'node:net';
import { test } from 'tap';
import type { CallContext } from '../../../runtime/context.ts';
import { defineHttpModule } from '../../../services/http/module.ts';
import { httpClientSurface } from '../../../services/http-client/surface.ts';
import { luaBench, NO_LIMITS } from '../../harness/lua.ts';
import { poll } from '../../harness/poll.ts';
import { fakeEnv, type Handler } from './fake-env.ts';
import { startServer } from './start-server.ts';

/** Handlers in Lua, on the real engine, behind the real server. */
const luaHandlers = (t: { teardown(end: () => Promise<void>): void }) => {
  const bench = luaBench();
  defineHttpModule(bench.engine);
  const [client] = httpClientSurface.build({ ...fakeEnv().env, engine: bench.engine });
  t.teardown(async () => {
    await client?.stop?.();
    bench.engine.close();
  });
  return (body: string): Handler =>
    (_lua, context: CallContext) =>
      bench
        .instance(`return function() ${body}\nend`, { modules: ['http', 'http_client'] })
        .call({ args: [], context, pid: '{test|1}', entryId: 'app:f', limits: NO_LIMITS });
};

test('a Lua handler reads a request and writes a response', async (t) => {
  const lua = luaHandlers(t);
  const app = await startServer(t, {
    'POST /echo/{id}': lua(`
      local req, res = http.request(), http.response()
      local body, err = req:body_json()
      if err then
        res:set_status(http.STATUS.BAD_REQUEST)
        return res:write_json({ error = err:message(), kind = err:kind() })
      end
      res:set_header("X-Id", (req:param("id")))
      res:set_status(http.STATUS.CREATED)
      res:write_json({ n = body.n + 1, text = tostring(req) })`),
    'GET /fails': lua('error("boom", 0)'),
    'GET /late': lua(
      'local err = http.response():set_status(200) or http.response():set_header("a", "b")\nhttp.response():write(err:message())',
    ),
    'GET /readonly': lua('http.STATUS.OK = 1'),
  });
  const got = await app.send('POST', '/echo/7', { body: '{"n":1}' });
  t.match(got, { status: 201, headers: { 'x-id': '7', 'content-type': 'application/json' } });
  t.same(JSON.parse(got.body), { n: 2, text: 'http.Request{method=POST, path=/echo/7}' });
  t.match(await app.send('POST', '/echo/7', { body: '{' }), { status: 400, body: /"kind":"Invalid"/ });
  t.match(await app.send('GET', '/fails'), { status: 500, body: 'boom' });
  t.match(await app.send('GET', '/late'), { status: 200, body: 'cannot set headers after they are sent' });
  t.equal((await app.send('GET', '/readonly')).status, 500);
});

test('rule 40: events of a Lua handler leave while it still runs; its end is told by the client’s leaving', async (t) => {
  const lua = luaHandlers(t);
  const app = await startServer(t, {
    'GET /events': lua(`
      local res = http.response()
      for i = 1, 1000 do
        local err = res:write_event({ name = "tick", data = { i = i } })
        if err then return end
        host.sleep(20)
      end`),
  });
  let text = '';
  const request = app.open('GET', '/events');
  request.on('error', () => {});
  request.on('response', (incoming) => {
    incoming.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    incoming.on('error', () => {});
  });
  request.end();
  await poll('the third event', () => text.includes('event: tick\ndata: {"i":3}\n\n'));
  t.same(app.rows('wippy_http_streams_active'), ['kind=sse 1']);
  request.destroy();
  await poll('the call ends', () => app.spans().length === 1);
  t.same(app.rows('wippy_http_streams_active'), ['kind=sse 0']);
  t.same(app.rows('wippy_http_requests_total'), ['method=GET,route=app:get.0,status=200 1']);
  t.match(app.rows('wippy_http_requests_in_flight'), [/ 0$/]);
});

test('a Lua handler calls another service, and many at once', async (t) => {
  const lua = luaHandlers(t);
  const target = await startServer(t, { 'GET /price': lua('http.response():write_json({ price = 42 })') });
  const base = `http://127.0.0.1:${target.port}`;
  const app = await startServer(t, {
    'GET /buy': lua(`
      local one, err = http_client.get("${base}/price", { query = { item = "x y" }, timeout = "5s" })
      if err then error(err) end
      local both = http_client.request_batch({ { "GET", "${base}/price" }, { "GET", "${base}/nope" } })
      http.response():write_json({ one.status_code, one.headers["Content-Type"], one.body, both[2].status_code })`),
    'GET /broken': lua(
      'local _, err = http_client.get("http://127.0.0.1:1/")\nhttp.response():write_json({ err:kind(), err:retryable() })',
    ),
    'GET /empty': lua('http_client.request_batch({})'),
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.send('GET', '/buy')));
  for (const { body } of answers) t.same(JSON.parse(body), [200, 'application/json', '{"price":42}', 404]);
  t.same(JSON.parse((await app.send('GET', '/broken')).body), ['Internal', true]);
  t.match(await app.send('GET', '/empty'), { status: 500, body: /requests table cannot be empty/ });
});

test('bodies of JSON: types, lengths and order, however they are written', async (t) => {
  const lua = luaHandlers(t);
  const json = (rest: string) => lua(`local res = http.response()\n${rest}`);
  const app = await startServer(t, {
    'GET /plain': json('res:write_json({ a = 1 })'),
    'GET /typed': json('res:set_content_type("text/x") res:write_json({ a = 1 })'),
    'GET /status': json('res:set_status(202) res:set_content_type("text/x") res:write_json({ a = 1 })'),
    'GET /twice': json('res:write_json({ a = 1 }) res:write_json({ b = 2 })'),
    'GET /mixed': json('res:write_json({ a = 1 }) res:write("x\\n")'),
    'GET /flushed': json('res:write_json({ a = 1 }) res:flush() res:write_json({ b = 2 })'),
    'GET /wide': json('res:write_json({ a = "é" })'),
    'GET /long': json('res:write_json({ a = ("x"):rep(20000) })'),
    'GET /none': json('res:set_status(204) res:write_json({ a = 1 })'),
    'GET /short': json('res:set_header("Content-Length", "3") res:write_json({ a = 1 })'),
    'GET /fails': json('res:write_json({ a = 1 }) error("late", 0)'),
  });
  const got = async (path: string, method = 'GET') => {
    const { status, headers, body } = await app.send(method, path);
    return [status, headers['content-type'], headers['content-length'], body];
  };
  const type = 'application/json';
  t.same(await got('/plain'), [200, type, '7', '{"a":1}']);
  t.same(await got('/plain', 'HEAD'), [200, type, '7', '']);
  t.same(await got('/typed'), [200, type, '7', '{"a":1}'], 'the first body decides');
  t.same((await got('/status')).slice(0, 2), [200 + 2, type], 'after set_status the type is left to us');
  t.same(await got('/twice'), [200, type, '14', '{"a":1}{"b":2}']);
  t.same(await got('/mixed'), [200, type, '9', '{"a":1}x\n']);
  t.same(await got('/flushed'), [200, type, undefined, '{"a":1}{"b":2}']);
  t.same(await got('/wide'), [200, type, '10', '{"a":"é"}']);
  t.match(await got('/long'), [200, type, undefined, /^.{20008}$/]);
  t.same((await got('/none')).slice(2), [undefined, '']);
  t.same(await got('/fails'), [200, type, '7', '{"a":1}']);
  await t.rejects(app.send('GET', '/short', { settles: false }), 'a length that is not met ends the connection');
});

test('traceparent goes out with every kind of answer, and a function may replace it', async (t) => {
  const lua = luaHandlers(t);
  const app = await startServer(t, {
    'GET /plain': lua('http.response():write_json({ a = 1 })'),
    'GET /headers': lua('local res = http.response() res:set_header("X-A", "1") res:write_json({ a = 1 })'),
    'GET /status': lua('local res = http.response() res:set_status(404)'),
    'GET /flushed': lua('local res = http.response() res:write("x") res:flush()'),
    'GET /nothing': lua('return nil'),
    'GET /own': lua('local res = http.response() res:set_header("Traceparent", "mine") res:write_json({ a = 1 })'),
  });
  for (const path of ['/plain', '/headers', '/status', '/flushed', '/nothing', '/unknown']) {
    const { headers, raw } = await app.send('GET', path);
    t.match(headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, path);
    t.equal(raw.filter((name) => name.toLowerCase() === 'traceparent').length, 1);
  }
  t.equal((await app.send('GET', '/own')).headers.traceparent, 'mine');
});

test('requests that do not wait for the answer before are answered in their order', async (t) => {
  const lua = luaHandlers(t);
  const app = await startServer(t, {
    'GET /n': lua('http.response():write_json({ n = http.request():query("n") })'),
  });
  const socket = connect(app.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const numbers = ['1', '2', '3', '4', '5'];
  socket.write(numbers.map((n) => `GET /n?n=${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  await poll('all are answered', () => text.split('HTTP/1.1 200').length === numbers.length + 1 && text.endsWith('}'));
  socket.destroy();
  t.same(
    [...text.matchAll(/"n":"(\d)"/g)].map(([, n]) => n),
    numbers,
  );
});

test('a query is read as URLSearchParams reads it', async (t) => {
  const lua = luaHandlers(t);
  const names = ['a', 'b', 'ab', '', 'a=b', 'c c', 'é'];
  const read = names.map((name) => `tostring(q:query("${name}"))`).join(', ');
  const app = await startServer(t, {
    'GET /q': lua(`local q = http.request() http.response():write(table.concat({ ${read} }, "|"))`),
  });
  for (const query of [
    'a=1&b=2',
    'ab=1&a=2&a=3',
    'a&b=',
    '=x&&a==&',
    'a=b=c',
    '?a=1',
    'a=1%202&c+c=3',
    'b=a=1',
    'c%20c=%C3%A9',
    'a=1?b=2',
  ]) {
    const expected = names.map((name) => new URLSearchParams(query).get(name) ?? 'nil').join('|');
    t.equal((await app.send('GET', `/q?${query}`)).body, expected, query);
  }
});

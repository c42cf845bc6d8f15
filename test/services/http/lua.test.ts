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

import { test } from 'tap';
import { ask, READY, startServer } from './fixture.ts';

test('rule 97: not ready until every component has started, and never without a predicate', async (t) => {
  let state = { ...READY, ready: false };
  const { port } = await startServer(t, { state: () => state });
  t.match(await ask(port, '/readyz'), { status: 503, text: 'not ready' });
  t.match(await ask(port, '/healthz'), { status: 200, text: 'ok' });
  state = READY;
  t.match(await ask(port, '/readyz'), { status: 200, text: 'ready' });
  const other = await startServer(t, { noState: true });
  t.match(await ask(other.port, '/readyz'), { status: 503, text: 'not ready' });
  t.match(await ask(other.port, '/healthz'), { status: 200, text: 'ok' });
});

test('rule 98: while the program drains, /healthz is 200 and /readyz 503 at the same moment', async (t) => {
  let state = READY;
  const { port } = await startServer(t, { state: () => state });
  state = { ready: true, stopping: true, closing: false };
  const [alive, ready] = await Promise.all([ask(port, '/healthz'), ask(port, '/readyz')]);
  t.match(alive, { status: 200, text: 'ok' });
  t.match(ready, { status: 503, text: 'shutting down' });
  t.equal((await ask(port, '/metrics')).status, 200, 'a last scrape is possible');
  state = { ready: true, stopping: true, closing: true };
  t.match(await ask(port, '/healthz'), { status: 503, text: 'shutting down' });
});

test('rule 99: no-store, an explicit type, HEAD like GET, JSON only when asked', async (t) => {
  const { port } = await startServer(t);
  for (const [path, word] of [
    ['/healthz', 'ok'],
    ['/readyz', 'ready'],
  ] as const) {
    const get = await ask(port, path);
    const head = await ask(port, path, {}, 'HEAD');
    t.equal(get.headers['content-type'], 'text/plain; charset=utf-8');
    t.equal(get.headers['cache-control'], 'no-store');
    t.equal(head.status, 200);
    t.equal(head.text, '');
    for (const name of ['content-type', 'content-length', 'cache-control'])
      t.equal(head.headers[name], get.headers[name]);
    const json = await ask(port, path, { accept: 'application/json' });
    t.equal(json.headers['content-type'], 'application/json');
    t.strictSame(JSON.parse(json.text), { status: word });
    for (const accept of [
      '*/*',
      'application/json, text/plain',
      'application/json, */*;q=0.1',
      'application/json;q=0',
    ]) {
      t.equal((await ask(port, path, { accept })).text, word, accept);
    }
  }
});

test('other methods are 405 with Allow, other paths 404, queries are ignored', async (t) => {
  const { port } = await startServer(t);
  for (const path of ['/metrics', '/healthz', '/readyz']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const reply = await ask(port, path, {}, method);
      t.match(
        reply,
        { status: 405, headers: { allow: 'GET, HEAD', 'cache-control': 'no-store' } },
        `${method} ${path}`,
      );
    }
  }
  for (const path of ['/', '/metrics/', '/Metrics', '/healthz/x']) t.equal((await ask(port, path)).status, 404, path);
  t.equal((await ask(port, '/healthz?probe=1')).status, 200);
  t.equal((await ask(port, 'http://example.org/healthz?x')).status, 200, 'absolute form, as proxies send it');
});

test('a 503 can be read as JSON as well', async (t) => {
  const { port } = await startServer(t, { state: () => ({ ...READY, stopping: true }) });
  const reply = await ask(port, '/readyz', { accept: 'application/json' });
  t.equal(reply.status, 503);
  t.strictSame(JSON.parse(reply.text), { status: 'shutting down' });
});

import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'tap';
import { CallError } from '../../../runtime/errors.ts';
import { poll } from '../../harness/poll.ts';
import { type FakeLua, type Handler, handler, table } from './fake-env.ts';
import { startServer } from './start-server.ts';

const response = async (lua: FakeLua) => (await lua.call('http', 'response'))[0];
const answer = (status: number, text = ''): Handler =>
  handler(async (lua) => {
    const res = await response(lua);
    await lua.method(res, 'set_status', status);
    await lua.method(res, 'write', text);
  });
const hello = answer(200, 'hello');
const failing: Handler = () => {
  throw new CallError('boom', { kind: 'Unavailable' });
};
/** Waits for its signal, as the engine does for a call that sleeps. */
const waiting =
  (started: () => void, before?: (lua: FakeLua) => Promise<unknown>): Handler =>
  async (lua, context) => {
    await before?.(lua);
    started();
    await new Promise((_resolve, reject) =>
      context.signal.addEventListener('abort', () => reject(context.signal.reason)),
    );
    return { value: undefined, count: 0 };
  };

test('an endpoint answers, and one request is one count, one span and one line', async (t) => {
  const app = await startServer(t, { 'GET /hello/{name}': hello }, { prefix: '/v1' });
  const got = await app.send('GET', '/v1/hello/ann?token=secret', { headers: { 'user-agent': 'probe' } });
  t.match(got, { status: 200, body: 'hello' });
  t.equal(got.headers['content-length'], '5');
  t.same(app.rows('wippy_http_requests_total'), ['method=GET,route=app:get.0,status=200 1']);
  t.same(app.rows('wippy_http_request_duration_seconds'), ['method=GET,route=app:get.0,status=200 1']);
  t.same(app.rows('wippy_http_requests_in_flight'), ['method=GET,route=app:get.0 0']);
  const lines = app.lines.filter((line) => line.message === 'request');
  t.equal(lines.length, 1);
  t.match(lines[0], { level: 'info', fields: { subsystem: 'http', method: 'GET', route: 'app:get.0', status: 200 } });
  t.type(lines[0]?.fields.duration_ms, 'number');
  const [span, ...others] = app.spans();
  t.equal(others.length, 0);
  t.match(span, { name: 'GET app:get.0', kind: 1, status: { code: 0 } });
  t.match(span?.attributes, {
    'http.request.method': 'GET',
    'http.route': '/v1/hello/{name}',
    'url.path': '/v1/hello/ann',
    'url.scheme': 'http',
    'server.address': '127.0.0.1',
    'server.port': app.port,
    'http.response.status_code': 200,
    'user_agent.original': 'probe',
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
  });
  t.notMatch(JSON.stringify([span?.attributes, app.lines]), /secret/);
});

test('rule 23: the span is named by the route from its start, also for HEAD on a GET endpoint', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  const got = await app.send('HEAD', '/a');
  t.match(got, { status: 200, body: '' });
  t.equal(app.spans()[0]?.name, 'HEAD app:get.0');
  t.same(app.rows('wippy_http_requests_total'), ['method=HEAD,route=app:get.0,status=200 1']);
});

test('rule 22: random paths and methods fold to one series per method and status', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  for (let i = 0; i < 50; i += 1) t.equal((await app.send('GET', `/random/${i}`)).status, 404);
  t.equal((await app.send('POST', '/a')).status, 405);
  t.equal((await app.send('OPTIONS', '/a')).status, 204);
  t.equal((await app.send('PROPFIND', '/x')).status, 404);
  t.equal((await app.send('PURGE', '/y')).status, 404);
  t.same(app.rows('wippy_http_requests_total'), [
    'method=GET,route=unmatched,status=404 50',
    'method=OPTIONS,route=unmatched,status=204 1',
    'method=POST,route=unmatched,status=405 1',
    'method=_OTHER,route=unmatched,status=404 2',
  ]);
  const last = app.spans().at(-1);
  t.equal(last?.name, 'HTTP');
  t.equal(app.spans()[0]?.name, 'GET');
  t.match(last?.attributes, { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' });
  t.equal(last?.attributes['http.route'], undefined);
});

test('rule 42: the span is an error from 500 on and unset below, and always has the status', async (t) => {
  const app = await startServer(t, {
    'GET /ok': hello,
    'GET /gone': answer(410),
    'GET /bad': answer(503),
    'GET /boom': failing,
  });
  for (const path of ['/ok', '/gone', '/bad', '/boom']) await app.send('GET', path);
  const seen = app
    .spans()
    .map(({ status, attributes }) => [status.code, attributes['http.response.status_code'], attributes['error.type']]);
  t.same(seen, [
    [0, 200, undefined],
    [0, 410, undefined],
    [2, 503, '503'],
    [2, 500, 'Unavailable'],
  ]);
  t.same(
    app.lines.filter((line) => line.message === 'request').map((line) => line.level),
    ['info', 'info', 'error', 'error'],
  );
});

test('rule 41: the first status counts, a body alone is 200, and a client that leaves first is 499', async (t) => {
  const errors: unknown[] = [];
  let started = false;
  const app = await startServer(t, {
    'GET /twice': handler(async (lua) => {
      const res = await response(lua);
      await lua.method(res, 'set_status', 201);
      errors.push((await lua.method(res, 'set_status', 500))[0]);
    }),
    'GET /body': handler(async (lua) => lua.method(await response(lua), 'write', 'x')),
    'GET /leave': waiting(() => {
      started = true;
    }),
  });
  t.equal((await app.send('GET', '/twice')).status, 201);
  t.match(errors, [{ kind: 'Invalid', message: 'cannot set status after headers are sent' }]);
  t.equal((await app.send('GET', '/body')).status, 200);
  const request = app.open('GET', '/leave');
  request.on('error', () => {});
  request.end();
  await poll('the handler runs', () => started);
  t.same(app.rows('wippy_http_requests_in_flight').at(-1), 'method=GET,route=app:get.2 1');
  request.destroy();
  await poll('the call ends', () => app.spans().length === 3);
  t.same(app.rows('wippy_http_requests_total').at(-1), 'method=GET,route=app:get.2,status=499 1');
  const span = app.spans().at(-1);
  t.equal(span?.attributes['error.type'], 'client_closed');
  t.equal(span?.attributes['http.response.status_code'], undefined);
  t.equal(span?.status.code, 0);
  t.match(app.lines.at(-1), { level: 'info', fields: { status: 499 } });
});

test('rule 4: in-flight is 0 again after success, failure and a client that disconnects', async (t) => {
  let started = 0;
  const app = await startServer(t, {
    'GET /ok': hello,
    'GET /boom': failing,
    'GET /slow': waiting(() => {
      started += 1;
    }),
  });
  await app.send('GET', '/ok');
  await app.send('GET', '/boom');
  const request = app.open('GET', '/slow');
  request.on('error', () => {});
  request.end();
  await poll('the slow handler runs', () => started === 1);
  t.match(app.rows('wippy_http_requests_in_flight'), [/ 0$/, / 0$/, / 1$/], 'the 0 below proves something');
  request.destroy();
  await poll('all is 0 again', () => app.rows('wippy_http_requests_in_flight').every((row) => row.endsWith(' 0')));
});

test('a request ends with its response, not with its function', async (t) => {
  const app = await startServer(t, {
    'GET /a': () => {
      throw new CallError('x'.repeat(50_000_000)); // more than the sockets between us hold
    },
  });
  const request = app.open('GET', '/a');
  request.on('error', () => {});
  const headed = new Promise<void>((resolve) =>
    request.on('response', (incoming) => {
      incoming.pause();
      incoming.on('error', () => {});
      resolve();
    }),
  );
  request.end();
  await headed;
  await wait(50);
  t.match(app.rows('wippy_http_requests_in_flight'), [/ 1$/]);
  t.same(app.rows('wippy_http_requests_total'), []);
  request.destroy();
  await poll('the end', () => app.rows('wippy_http_requests_in_flight')[0]?.endsWith(' 0'));
  t.same(app.rows('wippy_http_requests_total'), ['method=GET,route=app:get.0,status=500 1']);
});

test('outcomes that the function did not handle itself (lua/http.md, section 6)', async (t) => {
  const app = await startServer(t, {
    'GET /nil': () => ({ value: undefined, count: 1 }),
    'GET /value': () => ({ value: 'text', count: 1 }),
    'GET /nothing': () => ({ value: undefined, count: 0 }),
    'GET /boom': failing,
    'GET /late': async (lua) => {
      await lua.method(await response(lua), 'write', 'all well');
      throw new CallError('too late');
    },
  });
  t.match(await app.send('GET', '/nil'), { status: 200, body: '', headers: { 'content-type': 'application/json' } });
  t.match(await app.send('GET', '/value'), { status: 200, body: '' });
  t.match(await app.send('GET', '/nothing'), { status: 500, body: 'no response sent' });
  t.match(await app.send('GET', '/boom'), { status: 500, body: 'boom', headers: { 'content-type': /^text\/plain/ } });
  t.match(await app.send('GET', '/late'), { status: 200, body: 'all well' });
  t.match(app.lines.at(-1), { level: 'error', fields: { status: 200, error: 'too late' } });
});

test('the trace comes in, goes out, and a broken or doubled header starts a new one', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const parent = `00-${traceId}-b7ad6b7169203331-01`;
  const ok = await app.send('GET', '/a', { headers: { traceparent: parent } });
  const span = app.spans()[0];
  t.equal(span?.spanContext().traceId, traceId);
  t.equal(span?.parentSpanContext?.spanId, 'b7ad6b7169203331');
  t.equal(ok.headers.traceparent, `00-${traceId}-${span?.spanContext().spanId}-01`);
  const twice = ['Host', 'x', 'traceparent', parent, 'Traceparent', parent];
  t.equal((await app.send('GET', '/a', { headers: twice })).status, 200);
  t.equal((await app.send('GET', '/a', { headers: { traceparent: 'nonsense' } })).status, 200);
  for (const other of app.spans().slice(1)) {
    t.not(other.spanContext().traceId, traceId);
    t.equal(other.parentSpanContext, undefined);
  }
});

test('an untrusted caller becomes a link, and no header goes back where none is asked for', async (t) => {
  const app = await startServer(
    t,
    { 'GET /a': hello },
    { settings: { http: { extractHeaders: false, injectHeaders: false } } },
  );
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const got = await app.send('GET', '/a', { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
  t.equal(got.headers.traceparent, undefined);
  const span = app.spans()[0];
  t.not(span?.spanContext().traceId, traceId);
  t.equal(span?.parentSpanContext, undefined);
  t.equal(span?.links[0]?.context.traceId, traceId);
});

test('rules 43, 44: exclusions name an endpoint or a template, and hit nothing else', async (t) => {
  const app = await startServer(
    t,
    { 'GET /logs': hello, 'GET /user/logs': hello, 'GET /x/{id}': hello },
    { settings: { httpTraceExclude: ['/logs', 'app:get.2'], httpMetricsExclude: ['app:get.0'] } },
  );
  for (const path of ['/logs', '/user/logs', '/x/1']) t.equal((await app.send('GET', path)).status, 200);
  t.same(
    app.spans().map((span) => span.name),
    ['GET app:get.1'],
  );
  t.same(app.rows('wippy_http_requests_total'), [
    'method=GET,route=app:get.1,status=200 1',
    'method=GET,route=app:get.2,status=200 1',
  ]);
});

/** Reads one chunk after the other of a response that goes on. */
const streamOf = (request: import('node:http').ClientRequest) => {
  let text = '';
  let isOver = false;
  request.on('error', () => {});
  request.on('response', (incoming) => {
    incoming.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    incoming.on('error', () => {});
    incoming.on('close', () => {
      isOver = true;
    });
  });
  request.end();
  return { has: (part: string) => text.includes(part), isOver: () => isOver, text: () => text };
};

test('rules 40, 43, 45: events leave at once through the whole chain, outlive the timeouts and are measured', async (t) => {
  let next = () => {};
  const app = await startServer(
    t,
    {
      'GET /events': handler(async (lua) => {
        const res = await response(lua);
        for (const n of [1, 2]) {
          await lua.method(res, 'write_event', table({ name: 'tick', data: n }));
          await new Promise<void>((resolve) => {
            next = resolve;
          });
        }
      }),
    },
    { service: { timeouts: { read: '100ms', write: '100ms', idle: '100ms' } } },
  );
  const stream = streamOf(app.open('GET', '/events'));
  await poll('the first event', () => stream.has('event: tick\ndata: 1\n\n'));
  t.same(app.rows('wippy_http_streams_active'), ['kind=sse 1']);
  t.match(app.rows('wippy_http_requests_in_flight'), [/ 1$/]);
  await wait(300); // three times every timeout of the service
  next();
  await poll('the second event', () => stream.has('event: tick\ndata: 2\n\n'));
  next();
  await poll('the end', () => stream.isOver());
  await poll('the span', () => app.spans().length === 1);
  t.same(app.rows('wippy_http_streams_active'), ['kind=sse 0']);
  t.same(app.rows('wippy_http_requests_total'), ['method=GET,route=app:get.0,status=200 1']);
});

test('draining lets running requests end, refuses new ones and tells streams at the deadline', async (t) => {
  let finish = () => {};
  let started = 0;
  let reason: unknown;
  const app = await startServer(t, {
    'GET /slow': handler(async (lua) => {
      started += 1;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await lua.method(await response(lua), 'write', 'done');
    }),
    'GET /endless': async (lua, context) => {
      await lua.method(await response(lua), 'flush');
      context.signal.addEventListener('abort', () => {
        reason = context.signal.reason;
      });
      return waiting(() => {
        started += 1;
      })(lua, context);
    },
  });
  const slow = app.send('GET', '/slow', { settles: false });
  const endless = streamOf(app.open('GET', '/endless'));
  await poll('both run', () => started === 2);
  const deadline = new AbortController();
  const drained = app.component.drain?.(deadline.signal);
  await t.rejects(
    new Promise((_resolve, reject) => net.connect(app.port, '127.0.0.1').once('error', reject)),
    /ECONNREFUSED/,
    'nothing new comes in',
  );
  finish();
  const got = await slow;
  t.match(got, { status: 200, body: 'done', headers: { connection: 'close' } });
  t.equal(endless.isOver(), false);
  deadline.abort();
  await drained;
  t.match(reason, { kind: 'Canceled', message: 'server is shutting down' });
  await poll('the stream is over', () => endless.isOver());
  t.match(app.rows('wippy_http_requests_in_flight'), [/ 0$/, / 0$/]);
});

test('the guard refuses with 503 while the program stops', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  t.equal((await app.send('GET', '/a')).status, 200);
  app.drainState.isDraining = true;
  t.match(await app.send('GET', '/a'), { status: 503, body: 'draining', headers: { connection: 'close' } });
});

test('rule 94: a port in use ends the start with an error that names entry, address and key', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  const addr = `127.0.0.1:${app.port}`;
  await t.rejects(startServer(t, { 'GET /a': hello }, { service: { addr } }), {
    name: 'StartError',
    message: `_index.yaml:3:5: addr: ${addr} of http.service app:gate is in use. Free it, or choose another port (0 picks one).`,
  });
  t.match(
    app.lines.find((line) => line.message === 'listening'),
    { level: 'info', fields: { address: addr, service: 'app:gate' } },
  );
});

test('rules 110, 111: stop without start, twice, and a new start all work', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  await app.component.stop?.();
  await app.component.stop?.();
  await app.component.drain?.(AbortSignal.abort());
  await app.component.start?.();
  await app.component.stop?.();
  await app.component.start?.();
  await app.component.open?.();
  t.match(app.rows('wippy_http_requests_total'), []);
});

test('a malformed request and an oversized head are refused by the server itself', async (t) => {
  const app = await startServer(t, { 'GET /a': hello });
  const raw = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = net.connect(app.port, '127.0.0.1', () => socket.write(text));
      let got = '';
      socket.on('data', (chunk: Buffer) => {
        got += chunk.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(got));
    });
  t.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1.1 400/);
  t.match(await raw(`GET /a HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431/);
  t.match(await raw('GET http://other.example/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 200/);
});

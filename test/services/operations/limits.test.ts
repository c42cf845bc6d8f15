import { test } from 'tap';
import { OPERATIONS_LIMITS } from '../../../services/operations/server.ts';
import { poll } from '../../harness/poll.ts';
import { ask, connectionsTo, rawSocket, startServer } from './fixture.ts';

const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: x\r\n';

test('the limits are those of telemetry.md, section 4', async (t) => {
  t.match(OPERATIONS_LIMITS, { headersMs: 5000, headerBytes: 8192, writeMs: 10_000, idleMs: 60_000 });
});

test('rule 102: a client that is slow with its headers, or sends nothing, is cut; a quick one is served', async (t) => {
  const { port } = await startServer(t, { limits: { headersMs: 200 } });
  const began = performance.now();
  const slow = rawSocket(port, REQUEST);
  const silent = rawSocket(port, '');
  t.equal((await ask(port, '/healthz')).status, 200);
  t.match(await slow.closed, /^HTTP\/1\.1 408 /);
  t.match(await silent.closed, /^$|^HTTP\/1\.1 408 /);
  t.ok(performance.now() - began < 8000, 'long before the limit of the whole request');
});

test('rule 102: headers above 8 KiB are refused, below they pass', async (t) => {
  const { port } = await startServer(t);
  const headers = (bytes: number): string => `${REQUEST}X-Large: ${'x'.repeat(bytes)}\r\nConnection: close\r\n\r\n`;
  t.match(await rawSocket(port, headers(9000)).closed, /^HTTP\/1\.1 431 /);
  t.match(await rawSocket(port, headers(7000)).closed, /^HTTP\/1\.1 200 /);
});

test('rule 102: a client that does not read is cut, one that reads gets everything', async (t) => {
  // More than the kernel's buffers on both sides take.
  const body = Buffer.alloc(64 * 1024 * 1024, 'x');
  const render = async () => ({ contentType: 'text/plain', contentEncoding: undefined, body });
  const { port } = await startServer(t, { metrics: { render }, limits: { writeMs: 5000, headersMs: 1000 } });
  t.equal((await ask(port, '/metrics')).body.length, body.length);
  const reader = rawSocket(port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  reader.socket.pause();
  await poll('the connection', async () => (await connectionsTo(port)) === 1);
  await poll('its end', async () => (await connectionsTo(port)) === 0);
  reader.socket.resume();
  t.ok((await reader.closed).length < body.length);
});

test('idle connections are kept for a while, then closed', async (t) => {
  const { port } = await startServer(t, { limits: { idleMs: 100 } });
  const idle = rawSocket(port, `${REQUEST}\r\n`);
  t.match(await idle.closed, /200 OK.*\r\nok$/s);
});

test('a request body is ignored', async (t) => {
  const { port } = await startServer(t);
  const text = `GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`;
  t.match(await rawSocket(port, text).closed, /200 OK/);
});

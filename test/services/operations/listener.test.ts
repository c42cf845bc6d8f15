import { createServer } from 'node:net';
import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { StartError } from '../../../runtime/errors.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import { parseListen, renderListen } from '../../../services/operations/listen-address.ts';
import { operationsServer } from '../../../services/operations/server.ts';
import { poll } from '../../harness/poll.ts';
import { recordingLogger, valueAt } from '../../runtime/metrics/fixture.ts';
import { ask, listenerOf, PATHS, READY, rawSocket, startServer } from './fixture.ts';

const serverFor = (listen: string) => {
  const clock = systemClock();
  const { logger, lines } = recordingLogger();
  const collector = createCollector({ namespace: 'wippy', clock });
  const metrics = { render: () => Promise.reject(new Error('unused')) };
  const server = operationsServer({ listen, paths: PATHS, state: () => READY, metrics, logger, collector, clock });
  return { server, lines };
};

test('rule 94: a port in use ends the start at once, naming address and key; it can be started once the port is free', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const { server } = serverFor(`127.0.0.1:${port}`);
  const started = performance.now();
  await t.rejects(
    server.start(),
    new StartError(`telemetry.listen: 127.0.0.1:${port} is in use. Free it, or choose another port (0 picks one).`),
  );
  t.ok(performance.now() - started < 1000);
  t.throws(() => server.address(), /does not listen/);
  await new Promise((resolve) => taken.close(resolve));
  await server.start();
  t.equal(server.address(), `127.0.0.1:${port}`);
  await server.stop();
});

test('rule 95: addresses that cannot be listened on are told with the key, and stop ends at once afterwards', async (t) => {
  const nonsense = serverFor('9464').server;
  await t.rejects(nonsense.start(), /telemetry\.listen: expected host:port, got '9464'/);
  await nonsense.stop();
  const foreign = serverFor('203.0.113.7:0').server;
  await t.rejects(foreign.start(), /telemetry\.listen: 203\.0\.113\.7:0 is no address of this machine/);
  await foreign.stop();
});

test('rule 110: stop without start and stop twice do nothing, a second start is an error, and it can start again', async (t) => {
  const { server } = serverFor('127.0.0.1:0');
  await server.stop();
  await server.start();
  await t.rejects(server.start(), /started already/);
  await server.stop();
  await server.stop();
  await server.start();
  t.match(server.address(), /^127\.0\.0\.1:\d+$/);
  await server.stop();
});

test('rules 104 and 111: nothing listens before start and after stop, ten times over', async (t) => {
  const { server } = serverFor('127.0.0.1:0');
  for (let i = 0; i < 10; i += 1) {
    await server.start();
    const port = Number(server.address().split(':')[1]);
    t.ok(listenerOf(port), 'it listens');
    t.equal((await ask(port, '/healthz')).status, 200);
    await server.stop();
    t.equal(listenerOf(port), undefined);
    await t.rejects(ask(port, '/healthz'), { code: 'ECONNREFUSED' });
  }
});

test('rule 126: loopback says nothing, a public bind warns once', async (t) => {
  const local = serverFor('127.0.0.1:0');
  await local.server.start();
  await local.server.stop();
  t.equal(local.lines.filter((line) => line.level === 'warn').length, 0);
  t.match(local.lines[0]?.fields?.address, /^127\.0\.0\.1:[1-9]\d*$/, 'the port that was picked is told');
  const open = serverFor('0.0.0.0:0');
  await open.server.start();
  await open.server.stop();
  const warnings = open.lines.filter((line) => line.level === 'warn');
  t.equal(warnings.length, 1);
  t.match(warnings[0]?.message, /telemetry\.listen: 0\.0\.0\.0:\d+ can be reached from other machines/);
});

test('rule 103: the death of the listener is an error line and a metric, and stop still works', async (t) => {
  const { server, port, collector, lines } = await startServer(t);
  t.equal((await ask(port, '/healthz')).status, 200);
  listenerOf(port)?.close();
  await poll('the line', () => lines.some((line) => line.level === 'error' && /listener/.test(line.message)));
  t.equal(valueAt(collector, 'wippy_telemetry_server_errors_total', { reason: 'listener' }), 1);
  await server.stop();
  const quiet = await startServer(t);
  await quiet.server.stop();
  t.equal(quiet.lines.filter((line) => line.level === 'error').length, 0, 'an ordinary stop is no death');
});

test('an error of the listener while it runs is counted and the server goes on', async (t) => {
  const { port, collector } = await startServer(t);
  listenerOf(port)?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  t.equal(valueAt(collector, 'wippy_telemetry_server_errors_total', { reason: 'listener' }), 1);
  t.equal((await ask(port, '/healthz')).status, 200);
});

test('stop lets a running scrape end, cuts one that does not, and idle connections at once', async (t) => {
  const gate = Promise.withResolvers<{ contentType: string; contentEncoding: undefined; body: Buffer }>();
  let asked = 0;
  const render = () => {
    asked += 1;
    return gate.promise;
  };
  const { server, port } = await startServer(t, { metrics: { render } });
  const idle = rawSocket(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  const scrape = ask(port, '/metrics');
  await poll('the scrape', () => asked === 1);
  const stopped = server.stop();
  gate.resolve({ contentType: 'text/plain', contentEncoding: undefined, body: Buffer.from('last') });
  t.equal((await scrape).text, 'last');
  t.match(await idle.closed, /200 OK/);
  await stopped;
  const stuck = await startServer(t, { metrics: { render: () => new Promise(() => {}) }, limits: { closeMs: 50 } });
  const cut = rawSocket(stuck.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await ask(stuck.port, '/healthz');
  const began = performance.now();
  await stuck.server.stop();
  t.equal(await cut.closed, '');
  t.ok(performance.now() - began < 5000, 'the limit of closing, not that of writing');
});

test('listen addresses', async (t) => {
  t.strictSame(parseListen('127.0.0.1:9464'), { host: '127.0.0.1', port: 9464 });
  t.strictSame(parseListen('[::1]:0'), { host: '::1', port: 0 });
  t.strictSame(parseListen('localhost:65535'), { host: 'localhost', port: 65535 });
  for (const bad of ['', ':9464', '9464', 'host', 'host:', 'host:65536', 'host:-1', '::1:80', 'a b:1', 'h:1:2']) {
    t.equal(parseListen(bad), undefined, `'${bad}'`);
  }
  t.equal(renderListen({ host: '::1', port: 1 }), '[::1]:1');
});

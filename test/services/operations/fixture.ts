import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, Server, type Socket } from 'node:net';
import { systemClock } from '../../../runtime/clock.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import type { MetricsText, ProgramState } from '../../../services/operations/port.ts';
import { OPERATIONS_LIMITS, type OperationsLimits, operationsServer } from '../../../services/operations/server.ts';
import { prometheusRenderer } from '../../../services/prometheus/renderer.ts';
import { recordingLogger } from '../../runtime/metrics/fixture.ts';

interface Test {
  teardown(body: () => Promise<void>): void;
}

export const READY: ProgramState = { ready: true, stopping: false, closing: false };
export const PATHS = { metrics: '/metrics', healthz: '/healthz', readyz: '/readyz' };

export const startServer = async (
  t: Test,
  over: {
    state?: () => ProgramState;
    noState?: boolean;
    metrics?: MetricsText;
    limits?: Partial<OperationsLimits>;
  } = {},
) => {
  const clock = systemClock();
  const { logger, lines } = recordingLogger();
  const collector = createCollector({ namespace: 'wippy', clock, logger });
  const server = operationsServer({
    listen: '127.0.0.1:0',
    paths: PATHS,
    state: over.noState ? undefined : (over.state ?? (() => READY)),
    metrics: over.metrics ?? prometheusRenderer({ collector, clock, logger }),
    logger,
    collector,
    clock,
    limits: { ...OPERATIONS_LIMITS, ...over.limits },
  });
  await server.start();
  t.teardown(() => server.stop());
  const port = Number(server.address().split(':').at(-1));
  return { server, collector, lines, port };
};

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** One request on a connection of its own. */
export const ask = (port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest({ port, host: '127.0.0.1', path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
      });
    });
    sent.on('error', reject);
    sent.end();
  });

/** A raw connection; `closed` resolves with what was received once the server has cut it. */
export const rawSocket = (port: number, text: string): { socket: Socket; closed: Promise<string> } => {
  const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text));
  const chunks: Buffer[] = [];
  const closed = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {}); // a cut connection may end in ECONNRESET; `close` follows
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
  return { socket, closed };
};

/** The listening socket of a port in this process: what the system would take away. */
export const listenerOf = (port: number): Server | undefined =>
  (process as unknown as { _getActiveHandles(): unknown[] })
    ._getActiveHandles()
    .filter((handle): handle is Server => handle instanceof Server)
    .find((server) => (server.address() as { port?: number } | null)?.port === port);

/** How many connections the server of a port holds. */
export const connectionsTo = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = listenerOf(port);
    if (server === undefined) return reject(new Error(`nothing listens on ${port}`));
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

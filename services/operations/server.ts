import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, StartError } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import { isLoopback, type ListenAddress, parseListen, renderListen } from './listen-address.ts';
import type { MetricsText, OperationsPaths, ProgramState } from './port.ts';
import { requestHandler } from './request-handler.ts';
import { serverErrors } from './server-metrics.ts';

/** Milliseconds, and bytes of headers (telemetry.md, section 4). */
export interface OperationsLimits {
  readonly headersMs: number;
  readonly headerBytes: number;
  readonly writeMs: number;
  readonly idleMs: number;
  /** How long running scrapes may take once the server closes. */
  readonly closeMs: number;
}
export const OPERATIONS_LIMITS: OperationsLimits = {
  headersMs: 5000,
  headerBytes: 8192,
  writeMs: 10_000,
  idleMs: 60_000,
  closeMs: 1000,
};

export interface OperationsServerOptions {
  /** `host:port`; port 0 picks one. */
  readonly listen: string;
  readonly paths: OperationsPaths;
  /** Undefined: `/readyz` stays 503. */
  readonly state: (() => ProgramState) | undefined;
  readonly metrics: MetricsText;
  readonly logger: Logger;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly limits?: OperationsLimits;
}

/**
 * The operations port. It has no `drain`: it serves while everything else drains, so start it first and stop it last.
 * `start` throws StartError when it cannot listen, an Error when it runs already.
 */
export interface OperationsServer extends Component {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** `host:port` as it listens now. @throws Error while it does not. */
  address(): string;
}

/** Node looks for connections whose headers are late this often; its default of 30 s would let them live that long. */
const LATE_CHECK_MS = 250;

export const operationsServer = (options: OperationsServerOptions): OperationsServer => {
  const { paths, state, metrics, collector, clock, limits = OPERATIONS_LIMITS } = options;
  const logger = options.logger.subsystem('telemetry');
  const errors = serverErrors(collector, logger);
  let server: Server | undefined;
  let isClosing = false;

  const answer = requestHandler({ paths, state, isClosing: () => isClosing, metrics, errors });

  /** Cuts a client that does not read; what the kernel took counts as read. */
  const limitWrite = (response: ServerResponse): void => {
    const cancel = clock.after(limits.writeMs, () => response.destroy(), { unref: true });
    response.once('close', cancel);
  };

  const build = (): Server =>
    createServer(
      {
        headersTimeout: limits.headersMs,
        requestTimeout: limits.writeMs,
        maxHeaderSize: limits.headerBytes,
        keepAliveTimeout: limits.idleMs,
        connectionsCheckingInterval: Math.min(LATE_CHECK_MS, limits.headersMs),
      },
      (request, response) => {
        limitWrite(response);
        request.resume(); // a body is nobody's business here
        void answer(request, response);
      },
    );

  const watch = (listening: Server): void => {
    listening.on('error', (error) => errors.failed('listener', error));
    listening.on('close', () => {
      if (!isClosing)
        errors.failed('listener', new Error(`${options.listen}: the listener closed while the program runs`));
    });
  };

  return {
    name: 'telemetry',
    needs: [],
    async start() {
      if (server !== undefined) throw new Error('the operations port is started already');
      const wanted = parseListen(options.listen);
      if (wanted === undefined) {
        throw new StartError(
          `telemetry.listen: expected host:port, got '${options.listen}'. Write e.g. 127.0.0.1:9464.`,
        );
      }
      const starting = build();
      server = starting;
      try {
        await listenOn(starting, wanted);
      } catch (error) {
        server = undefined;
        throw error;
      }
      isClosing = false;
      watch(starting);
      const { address, port } = starting.address() as AddressInfo;
      const at = renderListen({ host: address, port });
      logger.info('operations port listens', { address: at, metrics: paths.metrics });
      if (!isLoopback(address)) {
        const advice = 'It asks nobody who they are: bind 127.0.0.1, or put it behind a firewall';
        logger.warn(`telemetry.listen: ${at} can be reached from other machines. ${advice}.`, { address: at });
      }
    },
    async stop() {
      const closing = server;
      if (closing === undefined) return;
      isClosing = true;
      server = undefined;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeIdleConnections();
      const cancel = clock.after(limits.closeMs, () => closing.closeAllConnections(), { unref: true });
      await closed;
      cancel();
    },
    address() {
      const at = server?.address();
      if (at === null || at === undefined || typeof at === 'string')
        throw new Error('the operations port does not listen');
      return renderListen({ host: at.address, port: at.port });
    },
  };
};

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use. Free it, or choose another port (0 picks one).',
  EACCES: 'may not be used by this user. Choose a port above 1023.',
  EADDRNOTAVAIL: 'is no address of this machine. Use 127.0.0.1, or one that it has.',
  ENOTFOUND: 'has a host name that is not known. Use 127.0.0.1, or one that it has.',
};

/** @throws StartError naming the address and the key. */
const listenOn = async (server: Server, { host, port }: ListenAddress): Promise<void> => {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen({ host, port, exclusive: true }, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    server.close();
    const why = REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? `cannot be listened on: ${messageOf(error)}.`;
    throw new StartError(`telemetry.listen: ${renderListen({ host, port })} ${why}`, error);
  }
  server.off('error', listening.reject);
};

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isPromise } from '../../runtime/call.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import {
  asCallError,
  canceled,
  messageOf,
  renderProblem,
  StartError,
  telemetryMessageOf,
  unavailable,
} from '../../runtime/errors.ts';
import type { Component, ComponentLife } from '../../runtime/lifecycle.ts';
import { componentOptions } from '../../runtime/lifecycle-schema.ts';
import type { BoundUpDownCounter } from '../../runtime/metrics/collector.ts';
import { TRACE } from '../../runtime/trace.ts';
import { FUNCTIONS, type Functions } from '../function/port.ts';
import { hostsOfCalled } from '../process/port.ts';
import { serviceContextOf } from '../security/port.ts';
import { endpointCore } from './endpoint.ts';
import { Exchange } from './exchange.ts';
import { parseAddress, type ServiceConfig } from './kinds.ts';
import { headerValues, parseTarget } from './request-head.ts';
import { type Route, router } from './router.ts';
import { RunningExchanges } from './running.ts';
import { type HttpCore, httpSites } from './sites.ts';

export interface HttpServer {
  readonly id: string;
  readonly component: Component;
  /** `host:port` while it listens. */
  address(): string | undefined;
}

/** Time to send a request's head; Node's own default. */
const HEADERS_TIMEOUT_MS = 60_000;
/** What calls that are told to stop at the drain's deadline get to end by themselves. */
const CANCEL_GRACE_MS = 500;

const NO_PARAMS: ReadonlyMap<string, string> = new Map();

const formatAddress = ({ address, port }: AddressInfo): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** Node's limits on receiving. None of them touches a response, so streams of any length go on. */
const serverOptions = ({ read, idle }: ServiceConfig['timeouts']) => ({
  requestTimeout: read,
  headersTimeout: read > 0 ? Math.min(read, HEADERS_TIMEOUT_MS) : HEADERS_TIMEOUT_MS,
  connectionsCheckingInterval: read > 0 ? Math.max(Math.min(read / 2, 30_000), 50) : 30_000,
  keepAliveTimeout: idle,
  optimizeEmptyRequests: true, // no stream is run down for requests that have no body
});

/** One `http.service`: its sites are made here, its socket when it opens. */
export const httpServer = (
  env: Env,
  declared: Declared<ServiceConfig>,
  routes: readonly Route[],
  streams: BoundUpDownCounter,
): HttpServer => {
  const { id, config, entry } = declared;
  const { clock, settings } = env;
  const log = env.logger.subsystem('http').child({ service: id });
  const table = router(routes);
  let functions: Functions | undefined;
  let origin = rootContext;
  const sites = httpSites(
    env,
    id,
    endpointCore(env, () => functions ?? env.use(FUNCTIONS)),
  );
  const running = new RunningExchanges();
  let server: Server | undefined;
  let isDraining = false;
  let onIdle: (() => void) | undefined;
  let life: ComponentLife | undefined;

  const isOver = (exchange: Exchange): void => {
    running.delete(exchange);
    if (isDraining) setImmediate(() => server?.closeIdleConnections());
    if (running.size === 0) onIdle?.();
  };
  /** Refused by an interceptor before the core saw it, most often because the program drains. */
  const refuse = (exchange: Exchange, thrown: unknown): void => {
    const error = asCallError(thrown);
    if (error.kind === 'Unavailable') exchange.closeConnection();
    else log.error('request failed outside its function', { error: telemetryMessageOf(error) });
    const status = error.kind === 'Unavailable' ? 503 : 500;
    exchange.response.refuse(status, error.message);
    isOver(exchange);
  };
  const serve = (site: HttpCore, exchange: Exchange, context: CallContext): void => {
    running.add(exchange);
    let out: ReturnType<HttpCore>;
    try {
      out = site({ input: exchange, context: context.withSignal(exchange.signal) });
    } catch (thrown) {
      refuse(exchange, thrown);
      return;
    }
    if (!isPromise(out)) return isOver(exchange);
    void out.then(
      () => isOver(exchange),
      (thrown: unknown) => refuse(exchange, thrown),
    );
  };

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const { path, query } = parseTarget(req.url ?? '/');
    const method = req.method ?? '';
    const found = table.find(method, path, query); // before anything is measured: the site is the route's
    const extracted = env.propagator.extract(origin, headerValues(req));
    const isTrusted = settings.http.extractHeaders;
    const exchange = new Exchange({
      req,
      res,
      clock,
      streams,
      writeTimeoutMs: config.timeouts.write,
      rawPath: path,
      rawQuery: query,
      params: found.route === undefined ? NO_PARAMS : found.params,
      reply: found.route === undefined ? found.reply : undefined,
      link: isTrusted ? undefined : extracted.get(TRACE),
    });
    if (isDraining) exchange.closeConnection();
    serve(sites.of(found.route, method), exchange, isTrusted ? extracted : origin);
  };

  const idle = (): Promise<void> =>
    running.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          onIdle = resolve;
        });

  /** The calls that still run are told to stop, event streams among them, and get a moment to do so. */
  const cancelRunning = async (): Promise<void> => {
    for (const exchange of running.list()) exchange.cancel(canceled('server is shutting down'));
    let cancelTimer = () => {};
    const grace = new Promise<void>((resolve) => {
      cancelTimer = clock.after(CANCEL_GRACE_MS, resolve);
    });
    await Promise.race([idle(), grace]);
    cancelTimer();
  };

  /** Nobody can reach it any more: it is started again. An error that leaves it listening (a refused `accept`) is a line only. */
  const watch = (created: Server): void => {
    const lost = (reason: string): void => {
      if (server !== created || isDraining) return;
      life?.ended(unavailable(`it no longer listens on ${config.addr}: ${reason}`));
    };
    created.on('error', (error) => {
      log.error('http server failed', { error: messageOf(error) });
      if (!created.listening) lost(messageOf(error));
    });
    created.on('close', () => lost('its socket was closed'));
  };
  const listen = (created: Server): Promise<void> => {
    const { host, port } = parseAddress(config.addr) ?? { host: undefined, port: 0 };
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        const message =
          error.code === 'EADDRINUSE'
            ? `${config.addr} of http.service ${id} is in use. Free it, or choose another port (0 picks one).`
            : `cannot listen on ${config.addr} for http.service ${id}: ${messageOf(error)}`;
        const problem = {
          file: entry.file,
          ...entry.position('addr'),
          path: 'addr',
          message,
          severity: 'error',
        } as const;
        reject(new StartError(renderProblem(problem), error));
      };
      created.once('error', onError);
      created.listen({ host, port }, () => {
        created.off('error', onError);
        watch(created);
        log.info('listening', { address: address() });
        resolve();
      });
    });
  };

  const address = (): string | undefined => {
    const bound = server?.address();
    return bound === null || typeof bound !== 'object' ? undefined : formatAddress(bound);
  };

  const lifecycle = componentOptions(config.lifecycle);
  const called = routes.map(({ func }) => func);
  const component: Component = {
    name: id,
    ...lifecycle,
    needs: [...lifecycle.needs, ...hostsOfCalled(env.registry, called)],
    async start(started) {
      life = started;
      functions = env.use(FUNCTIONS);
      origin = serviceContextOf(env, config.lifecycle);
      isDraining = false;
      server = createServer(serverOptions(config.timeouts), onRequest);
    },
    async open() {
      if (server !== undefined && !server.listening) await listen(server);
    },
    async drain(deadline) {
      if (server === undefined || isDraining) return;
      isDraining = true;
      server.close(); // accepts no more and cuts idle connections
      for (const exchange of running.list()) exchange.closeConnection();
      const expired = new Promise<void>((resolve) => {
        if (deadline.aborted) resolve();
        else deadline.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([idle(), expired]);
      if (running.size > 0) await cancelRunning();
    },
    async stop() {
      const stopped = server;
      server = undefined;
      if (stopped === undefined) return;
      for (const exchange of running.list()) exchange.cancel(canceled('server is shutting down'));
      const closed = new Promise<void>((resolve) => stopped.close(() => resolve()));
      stopped.closeAllConnections();
      await closed;
    },
  };
  return { id, component, address };
};

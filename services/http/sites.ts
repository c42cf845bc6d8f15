import type { LogRecipe, MetricRecipe, Next, SpanRecipe } from '../../runtime/call.ts';
import type { Env } from '../../runtime/env.ts';
import { errorType, telemetryMessageOf } from '../../runtime/errors.ts';
import type { Attributes, SpanDetail, SpanLink } from '../../runtime/trace.ts';
import { type Exchange, type HttpOutcome, peerOf } from './exchange.ts';
import {
  CLIENT_CLOSED,
  KNOWN_METHODS,
  OTHER_METHOD,
  requestDuration,
  requestsInFlight,
  requestsTotal,
  UNMATCHED,
} from './instruments.ts';
import type { Route } from './router.ts';

export type HttpCore = Next<Exchange, HttpOutcome>;

/** The sites of one service: one per endpoint and method that it serves, and one per method for what nothing matched. */
export interface HttpSites {
  /** `route` undefined: no endpoint answers. Made on first use: HEAD on a GET endpoint is rare, as are most methods. */
  of(route: Route | undefined, method: string): HttpCore;
}

interface HostParts {
  readonly address: string;
  readonly port: number | undefined;
}
type HostReader = (host: string) => HostParts;

/** Takes `host`, `host:port` or `[::1]:port` of a Host header apart. Most requests name the same host as the one before. */
const hostReader = (): HostReader => {
  let last = '';
  let parts: HostParts = { address: '', port: undefined };
  return (host) => {
    if (host === last) return parts;
    const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host);
    parts = { address: match?.[1] ?? host, port: match?.[2] === undefined ? undefined : Number(match[2]) };
    last = host;
    return parts;
  };
};

/** What sampling sees of one request (HTTP semantic conventions, server spans). Never the query: it may hold secrets. */
const requestAttributes = (exchange: Exchange, hostParts: HostReader): Attributes => {
  const { req } = exchange;
  const host = hostParts(req.headers.host ?? '');
  const method = req.method ?? '';
  return {
    'http.request.method_original': KNOWN_METHODS.has(method) ? undefined : method,
    'url.path': exchange.rawPath,
    'server.address': host.address === '' ? req.socket.localAddress : host.address,
    'server.port': host.address === '' ? req.socket.localPort : (host.port ?? 80),
    'user_agent.original': req.headers['user-agent'],
    'client.address': peerOf(req).address,
    'network.protocol.version': req.httpVersion,
  };
};

/** Its attributes are made for who reads them: nobody does for a request that is not sampled. */
class RequestDetail implements SpanDetail {
  readonly root: boolean;
  readonly #exchange: Exchange;
  readonly #hostParts: HostReader;
  #attributes: Attributes | undefined;

  constructor(exchange: Exchange, hostParts: HostReader) {
    this.#exchange = exchange;
    this.#hostParts = hostParts;
    this.root = exchange.link !== undefined;
  }

  get attributes(): Attributes {
    this.#attributes ??= requestAttributes(this.#exchange, this.#hostParts);
    return this.#attributes;
  }

  get links(): readonly SpanLink[] | undefined {
    const { link } = this.#exchange;
    return link === undefined ? undefined : [{ trace: link }];
  }
}

const result = (out: HttpOutcome): Attributes =>
  out.status === undefined ? { 'error.type': 'client_closed' } : { 'http.response.status_code': out.status };

const failure = (out: HttpOutcome): { type: string; message?: string } | undefined => {
  if (out.status === undefined || out.status < 500) return undefined;
  return out.error === undefined
    ? { type: String(out.status) }
    : { type: errorType(out.error), message: telemetryMessageOf(out.error) };
};

const spanRecipe = (
  route: Route | undefined,
  method: string,
  hostParts: HostReader,
): SpanRecipe<Exchange, HttpOutcome> => ({
  name: `${method === OTHER_METHOD ? 'HTTP' : method}${route === undefined ? '' : ` ${route.id}`}`,
  kind: 'server',
  attributes: { 'http.request.method': method, 'http.route': route?.pattern.template, 'url.scheme': 'http' },
  detail: ({ input }) => new RequestDetail(input, hostParts),
  result,
  failure,
});

const statusLabel = (status: number | undefined): string => String(status ?? CLIENT_CLOSED);

const metricRecipe = (labels: { method: string; route: string }): MetricRecipe<Exchange, HttpOutcome> => ({
  labels,
  calls: requestsTotal,
  duration: requestDuration,
  inFlight: requestsInFlight,
  outcome: { label: 'status', of: (out) => statusLabel(out.status), ofError: () => '500' },
});

const logRecipe = (labels: { method: string; route: string }): LogRecipe<Exchange, HttpOutcome> => ({
  subsystem: 'http',
  message: 'request',
  fields: labels,
  line: (outcome) => {
    if (!outcome.ok) return { level: 'error', fields: { status: 500, error: telemetryMessageOf(outcome.error) } };
    const { status, error } = outcome.value;
    const fields = { status: status ?? CLIENT_CLOSED };
    if (status === undefined || (error === undefined && status < 500)) return { level: 'info', fields };
    return {
      level: 'error',
      fields: error === undefined ? fields : { ...fields, error: telemetryMessageOf(error), kind: error.kind },
    };
  },
});

/** Lists name endpoints by id or by the exact template of their route. */
export const isExcluded = (list: readonly string[], route: Route | undefined): boolean =>
  route !== undefined && (list.includes(route.id) || list.includes(route.pattern.template));

/** `core` serves a route, or what nothing matched when the route is undefined. */
export const httpSites = (env: Env, service: string, core: (route: Route | undefined) => HttpCore): HttpSites => {
  const { settings } = env;
  const hostParts = hostReader();
  // Sites come with their first request: the names are ours before Lua can take them.
  env.collector.counter(requestsTotal);
  env.collector.histogram(requestDuration);
  env.collector.upDownCounter(requestsInFlight);
  const make = (route: Route | undefined, method: string): HttpCore => {
    const labels = { method, route: route?.id ?? UNMATCHED };
    return env.site(
      {
        surface: 'http.server',
        operation: method,
        target: labels.route,
        span:
          settings.spans.http && !isExcluded(settings.httpTraceExclude, route)
            ? spanRecipe(route, method, hostParts)
            : undefined,
        metrics: isExcluded(settings.httpMetricsExclude, route) ? undefined : metricRecipe(labels),
        log: logRecipe(labels),
        guarded: true,
        component: service,
      },
      core(route),
    );
  };
  const sites = new Map<Route | undefined, Map<string, HttpCore>>();
  return {
    of(route, original) {
      const method = KNOWN_METHODS.has(original) ? original : OTHER_METHOD;
      let byMethod = sites.get(route);
      if (byMethod === undefined) {
        byMethod = new Map();
        sites.set(route, byMethod);
      }
      let site = byMethod.get(method);
      if (site === undefined) {
        site = make(route, method);
        byMethod.set(method, site);
      }
      return site;
    },
  };
};

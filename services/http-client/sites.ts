import type { Call, LogRecipe, MetricRecipe, Next, SpanRecipe } from '../../runtime/call.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError } from '../../runtime/errors.ts';
import { clientRequestDuration, clientRequestsTotal } from './instruments.ts';
import { hostLabel, type IncomingResponse, type OutgoingRequest } from './request.ts';

/** One request on its way: what a site of this surface takes. */
export interface Attempt {
  readonly request: OutgoingRequest;
  /** Aborts with the call, and when the time of the whole request is over. */
  readonly signal: AbortSignal;
}
export type ClientCore = Next<Attempt, IncomingResponse>;

/** Hosts with series of their own; all others share one. */
const MAX_HOSTS = 1000;
const OTHER_HOST = 'other';
const OTHER_METHOD = '_OTHER';
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

const metricRecipe = (labels: { method: string; host: string }): MetricRecipe<Attempt, IncomingResponse> => ({
  labels,
  calls: clientRequestsTotal,
  duration: clientRequestDuration,
  outcome: { label: 'status', of: (out) => String(out.status), ofError: () => 'error' },
});

/** The URL as a span may show it: no credentials, and no value of the query, which may be a secret (telemetry.md, section 2). */
const shownUrl = (url: URL): string => {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href.replace(/(?<=[?&][^=&#]*=)[^&#]*/g, 'REDACTED');
};

/** Stable HTTP semantic conventions, client spans. */
const spanDetail = ({ input: { request } }: Call<Attempt>) => {
  const { method, url } = request;
  return {
    attributes: {
      'server.address': url.hostname.replace(/^\[|\]$/g, ''),
      'server.port': url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
      'url.full': shownUrl(url),
      'http.request.method_original': METHODS.has(method) ? undefined : method,
    },
  };
};

/** The span of telemetry.md, section 2, "HTTP out": an error from 400 on, and where no response came. */
const spanRecipe = (method: string): SpanRecipe<Attempt, IncomingResponse> => ({
  name: method === OTHER_METHOD ? 'HTTP' : method,
  kind: 'client',
  attributes: { 'http.request.method': method },
  detail: spanDetail,
  result: ({ status, protocolVersion }) => ({
    'http.response.status_code': status,
    'network.protocol.version': protocolVersion,
  }),
  failure: ({ status }) => (status >= 400 ? { type: String(status) } : undefined),
});

/** A request that succeeds is a fact of the call that makes it, which has its own line: debug. */
const logRecipe = (labels: { method: string; host: string }): LogRecipe<Attempt, IncomingResponse> => ({
  subsystem: 'http_client',
  message: 'outgoing request',
  fields: labels,
  line: (outcome) => {
    if (outcome.ok) return { level: 'debug', fields: { status: outcome.value.status } };
    const { kind, message } = asCallError(outcome.error);
    return { level: kind === 'Canceled' ? 'debug' : 'warn', fields: { error: message, kind } };
  },
});

export interface ClientSites {
  of(method: string, url: URL): ClientCore;
}

/**
 * One site per method and host, made on first use. The client span is that of the instrumentation of node:http where
 * there is any; the site makes its own where a host program has set up none. Never both: each has a site of its own.
 */
export const clientSites = (env: Env, core: ClientCore): ClientSites => {
  // The names are ours before Lua can take them.
  env.collector.counter(clientRequestsTotal);
  env.collector.histogram(clientRequestDuration);
  const hosts = new Map<string, Map<string, ClientCore>>();
  const methodsOf = (host: string): Map<string, ClientCore> => {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    if (hosts.size >= MAX_HOSTS && host !== OTHER_HOST) return methodsOf(OTHER_HOST);
    const methods = new Map<string, ClientCore>();
    hosts.set(host, methods);
    return methods;
  };
  return {
    of(original, url) {
      const host = hostLabel(url);
      const methods = methodsOf(host);
      const label = METHODS.has(original) ? original : OTHER_METHOD;
      const hasSpan = env.settings.spans.http && !env.thirdParty.tracesRequests(url.protocol as 'http:' | 'https:');
      const key = hasSpan ? `${label} with span` : label;
      const known = methods.get(key);
      if (known !== undefined) return known;
      const labels = { method: label, host: hosts.get(host) === methods ? host : OTHER_HOST };
      const site = env.site<Attempt, IncomingResponse>(
        {
          surface: 'http.client',
          operation: label,
          target: labels.host,
          ...(hasSpan && { span: spanRecipe(label) }),
          metrics: metricRecipe(labels),
          log: logRecipe(labels),
        },
        core,
      );
      methods.set(key, site);
      return site;
    },
  };
};

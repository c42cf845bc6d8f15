import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { SpanKind } from '../../runtime/trace.ts';
import { type CollectedPoint, type CollectedSpan, decodePoints, decodeSpans } from './otlp-decode.ts';

/**
 * What the collector does with requests from now on. `hang` answers nothing; `refuse` closes the port; `rejects` takes the
 * request and says that so many of its items (below 128) were refused, and why.
 */
export type Behaviour =
  | 'ok'
  | 'hang'
  | 'refuse'
  | { readonly status: number }
  | { readonly delayMs: number }
  | { readonly rejects: number; readonly why?: string };

/** `Export*ServiceResponse` with a partial success. */
const refusal = (isJson: boolean, path: string, { rejects, why = '' }: { rejects: number; why?: string }): Buffer => {
  const key = path.endsWith('/metrics') ? 'rejectedDataPoints' : 'rejectedSpans';
  if (isJson) return Buffer.from(JSON.stringify({ partialSuccess: { [key]: String(rejects), errorMessage: why } }));
  const text = Buffer.from(why);
  const partial = Buffer.concat([Buffer.from([0x08, rejects, 0x12, text.length]), text]);
  return Buffer.concat([Buffer.from([0x0a, partial.length]), partial]);
};

export interface SpanQuery {
  readonly name?: string;
  readonly kind?: SpanKind;
  readonly status?: CollectedSpan['status'];
  readonly traceId?: string;
  /** The parent; null for a root. */
  readonly parent?: { readonly spanId: string } | null;
  readonly attributes?: Readonly<Record<string, unknown>>;
}
export interface CollectorRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** An OTLP/HTTP collector on a free loopback port: what arrives is decoded and kept. */
export interface OtlpCollector {
  /** A base URL. */
  readonly url: string;
  readonly port: number;
  /** Spans that were answered with 200. */
  spans(query?: SpanQuery): readonly CollectedSpan[];
  /** The only span that matches. @throws Error that lists what there is. */
  span(query: SpanQuery): CollectedSpan;
  /** Points of every export, oldest first. */
  points(name: string, labels?: Readonly<Record<string, string>>): readonly CollectedPoint[];
  /** The newest point of one series. @throws Error when there is none. */
  point(name: string, labels?: Readonly<Record<string, string>>): CollectedPoint;
  /** All metric names seen. */
  metricNames(): readonly string[];
  /** Every request that came in, answered or not. */
  readonly requests: readonly CollectorRequest[];
  /** Connections that are open now. */
  connections(): Promise<number>;
  behave(behaviour: Behaviour): Promise<void>;
  /** Polls until `predicate` gives something other than false, null or undefined, and returns it. @throws Error after `timeoutMs`. */
  until<T>(predicate: () => T, timeoutMs?: number): Promise<NonNullable<T>>;
  clear(): void;
  close(): Promise<void>;
}

const holds = (all: Readonly<Record<string, unknown>>, some: Readonly<Record<string, unknown>> = {}): boolean =>
  Object.entries(some).every(([key, value]) => all[key] === value);

export const matches = (span: CollectedSpan, query: SpanQuery): boolean =>
  (query.name === undefined || span.name === query.name) &&
  (query.kind === undefined || span.kind === query.kind) &&
  (query.status === undefined || span.status === query.status) &&
  (query.traceId === undefined || span.traceId === query.traceId) &&
  (query.parent === undefined || span.parentSpanId === (query.parent?.spanId ?? '')) &&
  holds(span.attributes, query.attributes);

/** The one span of a list that matches. @throws Error that lists what there is. */
export const onlySpan = (spans: readonly CollectedSpan[], query: SpanQuery): CollectedSpan => {
  const found = spans.filter((span) => matches(span, query));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const seen = spans.map((span) => `${span.name} (${span.kind}, ${span.status})`).join(', ');
  throw new Error(`${found.length} spans match ${JSON.stringify(query)}; there are: ${seen || 'none'}`);
};

const POLL_MS = 5;
const PATIENCE_MS = 20_000;

export const startOtlpCollector = async (options: { tls?: ServerOptions } = {}): Promise<OtlpCollector> => {
  let spans: CollectedSpan[] = [];
  let points: CollectedPoint[] = [];
  const requests: CollectorRequest[] = [];
  let behaviour: Behaviour = 'ok';

  const accept = (path: string, headers: IncomingHttpHeaders, raw: Buffer): void => {
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const type = headers['content-type'] ?? '';
    if (path.endsWith('/traces')) spans.push(...decodeSpans(body, type));
    else if (path.endsWith('/metrics')) points.push(...decodePoints(body, type));
    else throw new Error(`nothing is collected at ${path}`);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    requests.push({ path, headers: request.headers });
    if (behaviour === 'hang') return;
    if (typeof behaviour === 'object' && 'delayMs' in behaviour) await sleep(behaviour.delayMs);
    if (typeof behaviour === 'object' && 'status' in behaviour) {
      response.writeHead(behaviour.status).end();
      return;
    }
    accept(path, request.headers, Buffer.concat(chunks));
    const isJson = request.headers['content-type']?.includes('json') === true;
    response.writeHead(200, { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' });
    if (typeof behaviour === 'object' && 'rejects' in behaviour) response.end(refusal(isJson, path, behaviour));
    else response.end(isJson ? '{}' : '');
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400);
      response.end(String(error)); // also when the client went away: nobody reads it then
    });
  };

  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const collector: OtlpCollector = {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    spans: (query = {}) => spans.filter((span) => matches(span, query)),
    span: (query) => onlySpan(spans, query),
    points: (name, labels) => points.filter((point) => point.name === name && holds(point.attributes, labels)),
    point(name, labels) {
      const newest = collector.points(name, labels).at(-1);
      if (newest !== undefined) return newest;
      throw new Error(
        `no point of ${name} ${JSON.stringify(labels ?? {})}; there are: ${collector.metricNames().join(', ')}`,
      );
    },
    metricNames: () => [...new Set(points.map((point) => point.name))],
    requests,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    async behave(next) {
      behaviour = next;
      if (next === 'refuse') await stop();
      else if (!server.listening) await listen(port);
    },
    async until<T>(predicate: () => T, timeoutMs = PATIENCE_MS): Promise<NonNullable<T>> {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const value = predicate();
        if (value !== undefined && value !== null && value !== false) return value;
        if (performance.now() > deadline) {
          const seen = `${spans.length} spans, ${points.length} points, ${requests.length} requests`;
          throw new Error(`not so within ${timeoutMs} ms: ${predicate}; the collector has ${seen}`);
        }
        await sleep(POLL_MS);
      }
    },
    clear() {
      spans = [];
      points = [];
      requests.length = 0;
    },
    close: stop,
  };
  return collector;
};

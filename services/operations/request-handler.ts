import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { messageOf } from '../../runtime/errors.ts';
import { type MetricsText, type OperationsPaths, type ProgramState, ScrapeTimeout } from './port.ts';
import { healthAnswer, type ProbeAnswer, readyAnswer, wantsOnlyJson } from './probes.ts';
import type { ServerErrorReason, ServerErrors } from './server-metrics.ts';

export interface RequestHandlerOptions {
  readonly paths: OperationsPaths;
  /** Undefined: nobody says that the program is ready, so it is not. */
  readonly state: (() => ProgramState) | undefined;
  /** Whether the server itself has begun to close. */
  readonly isClosing: () => boolean;
  readonly metrics: MetricsText;
  readonly errors: ServerErrors;
}

const PLAIN = 'text/plain; charset=utf-8';
const ALLOWED = 'GET, HEAD';

/** Answers one request of the operations port. Never throws and never rejects: a failure is a 500. */
export const requestHandler = (options: RequestHandlerOptions) => {
  const { paths, state, isClosing, metrics, errors } = options;

  const scrape = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { accept, 'accept-encoding': encoding } = request.headers;
    const acceptEncoding = Array.isArray(encoding) ? encoding.join(',') : encoding;
    const { contentType, contentEncoding, body } = await metrics.render({
      accept,
      acceptEncoding,
      timeoutMs: scrapeTimeoutMs(request.headers['x-prometheus-scrape-timeout-seconds']),
    });
    const headers: OutgoingHttpHeaders = { 'Content-Type': contentType, Vary: 'Accept, Accept-Encoding' };
    if (contentEncoding !== undefined) headers['Content-Encoding'] = contentEncoding;
    send(request, response, 200, headers, body);
  };
  const probe = (answer: () => ProbeAnswer) => (request: IncomingMessage, response: ServerResponse) => {
    const { status, text } = answer();
    const [type, body] = wantsOnlyJson(request.headers.accept)
      ? ['application/json', JSON.stringify({ status: text })]
      : [PLAIN, text];
    send(request, response, status, { 'Content-Type': type }, Buffer.from(body, 'utf8'));
  };

  interface Route {
    readonly reason: ServerErrorReason;
    readonly answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  }
  const routes = new Map<string, Route>([
    [paths.metrics, { reason: 'handler', answer: scrape }],
    [
      paths.healthz,
      { reason: 'predicate', answer: probe(() => healthAnswer(isClosing() || state?.().closing === true)) },
    ],
    [
      paths.readyz,
      {
        reason: 'predicate',
        answer: probe(() => (isClosing() ? { status: 503, text: 'shutting down' } : readyAnswer(state?.()))),
      },
    ],
  ]);

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = routes.get(pathOf(request.url ?? ''));
    if (route === undefined) return refuse(request, response, 404, 'not found');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(request, response, 405, 'method not allowed', { Allow: ALLOWED });
    }
    try {
      await route.answer(request, response);
      errors.succeeded(route.reason);
    } catch (error) {
      errors.failed(route.reason, error);
      if (response.headersSent) response.destroy();
      else if (error instanceof ScrapeTimeout) refuse(request, response, 503, error.message);
      // Prometheus shows its user no more than the status; who looks here is told why (conventions.md, section 9).
      else if (route.reason === 'handler')
        refuse(request, response, 500, `the metrics could not be rendered: ${messageOf(error)}`);
      else refuse(request, response, 500, 'internal error');
    }
  };
};

/** What Prometheus says it waits (`scrape_timeout`), in milliseconds; undefined where it says nothing that makes sense. */
const scrapeTimeoutMs = (seconds: string | string[] | undefined): number | undefined => {
  const ms = Number(seconds) * 1000;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
};

/** A request target in origin form, or in absolute form as proxies send it (RFC 9112, section 3.2). */
const pathOf = (target: string): string => {
  if (!target.startsWith('/')) return URL.parse(target)?.pathname ?? target;
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
};

const refuse = (
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void => send(request, response, status, { 'Content-Type': PLAIN, ...headers }, Buffer.from(text, 'utf8'));

const send = (
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Buffer,
): void => {
  response.writeHead(status, { ...headers, 'Cache-Control': 'no-store', 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
};

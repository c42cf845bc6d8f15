// Default imports, and `request` looked up on each call: that is what OpenTelemetry's instrumentation replaces.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { CallContext } from '../../runtime/context.ts';
import { CallError, internal, messageOf } from '../../runtime/errors.ts';
import type { ThirdPartyScope } from '../../runtime/trace.ts';
import type { AddressGuard } from './private-address.ts';
import type { IncomingResponse, OutgoingRequest } from './request.ts';

/** Idle connections are closed after this, or when the server's `Keep-Alive: timeout` says so earlier. */
const IDLE_MS = 30_000;

export interface Transport {
  /**
   * Sends one request and collects its response; no redirects.
   * @throws CallError Internal, retryable, for whatever goes wrong; the signal's reason when it aborts.
   */
  send(request: OutgoingRequest, headers: Record<string, string>, call: SendCall): Promise<IncomingResponse>;
  /** Closes the pooled connections. */
  close(): void;
}
export interface SendCall {
  readonly context: CallContext;
  readonly signal: AbortSignal;
  /** Whether a gzip body is decoded: only where the program did not ask for an encoding itself. */
  readonly decodes: boolean;
}

const failure = (error: unknown): CallError =>
  error instanceof CallError ? error : internal(messageOf(error), { retryable: true, cause: error });

const headersOf = (response: IncomingMessage, isDecoded: boolean): Map<string, readonly string[]> => {
  const headers = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    if (isDecoded && (name === 'content-encoding' || name === 'content-length')) continue;
    headers.set(name, values ?? []);
  }
  return headers;
};

interface Settle {
  resolve(response: IncomingResponse): void;
  reject(error: unknown): void;
}

/** Collects the body within `maxBytes` of decoded data. */
const collect = (response: IncomingMessage, decodes: boolean, maxBytes: number, settle: Settle): void => {
  const isGzip = decodes && response.headers['content-encoding']?.toLowerCase() === 'gzip';
  const isDecoded = isGzip && response.headers['content-length'] !== '0';
  const chunks: Uint8Array[] = [];
  let size = 0;
  const onPipeline = (error: Error | null | undefined): void => {
    if (error !== null && error !== undefined) settle.reject(error);
  };
  const body: Readable = isDecoded ? pipeline(response, zlib.createGunzip(), onPipeline) : response;
  body.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > maxBytes) {
      settle.reject(internal(`response body too large (max ${maxBytes} bytes)`, { retryable: true }));
    } else chunks.push(chunk);
  });
  body.on('error', settle.reject);
  body.on('end', () =>
    settle.resolve({
      status: response.statusCode ?? 0,
      headers: headersOf(response, isDecoded),
      body: Buffer.concat(chunks, size),
      protocolVersion: response.httpVersion,
    }),
  );
};

/** Requests over pooled keep-alive connections of node:http and node:https. */
export const transport = (scope: ThirdPartyScope, guard: AddressGuard | undefined): Transport => {
  const options = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const;
  const plain = new http.Agent(options);
  const secure = new https.Agent(options);

  const open = (request: OutgoingRequest, headers: Record<string, string>): http.ClientRequest => {
    const { url, method, transport: how } = request;
    const isSecure = url.protocol === 'https:';
    const common = {
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
      path: url.pathname + url.search,
      method,
      headers,
      ...(how.socketPath === undefined ? {} : { socketPath: how.socketPath }),
      ...(guard === undefined || how.socketPath !== undefined ? {} : { lookup: guard.lookup }),
    };
    if (!isSecure) return http.request({ ...common, agent: plain });
    return https.request({
      ...common,
      agent: secure,
      cert: how.cert,
      key: how.key,
      ca: how.ca,
      servername: how.serverName,
      rejectUnauthorized: how.insecureSkipVerify !== true,
    });
  };

  return {
    send(request, headers, { context, signal, decodes }) {
      const sent = (mayRetry: boolean): Promise<IncomingResponse> =>
        new Promise<IncomingResponse>((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason);
          const outgoing = scope.run(context, () => open(request, headers));
          let hasResponse = false;
          const onAbort = () => settle.reject(signal.reason);
          const settle: Settle = {
            resolve(response) {
              signal.removeEventListener('abort', onAbort);
              resolve(response);
            },
            reject(error) {
              signal.removeEventListener('abort', onAbort);
              reject(error);
              outgoing.destroy(error instanceof Error ? error : undefined);
            },
          };
          signal.addEventListener('abort', onAbort, { once: true });
          outgoing.on('error', (error: NodeJS.ErrnoException) => {
            // The server closed a pooled connection just as it was used again: nothing of the request was served.
            const isStale =
              !hasResponse && outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
            if (!isStale || !mayRetry || signal.aborted) return settle.reject(error);
            signal.removeEventListener('abort', onAbort);
            sent(false).then(resolve, reject);
          });
          outgoing.on('response', (response) => {
            hasResponse = true;
            collect(response, decodes, request.transport.maxResponseBytes, settle);
          });
          outgoing.end(request.body.length > 0 ? request.body : undefined);
        });
      // Only what may be done twice is sent again (RFC 9110, section 9.2.2).
      const isIdempotent = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].includes(request.method);
      return sent(isIdempotent).catch((error: unknown) => {
        throw failure(error);
      });
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
};

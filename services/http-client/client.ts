import type { Call } from '../../runtime/call.ts';
import type { CallContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { internal, messageOf } from '../../runtime/errors.ts';
import { operationGuard } from '../security/port.ts';
import { connections } from './connections.ts';
import { requestPermissions } from './permissions.ts';
import { assertScheme, type IncomingResponse, type OutgoingRequest, redirected } from './request.ts';
import { type Attempt, clientSites } from './sites.ts';

const MAX_REDIRECTS = 10;

export interface HttpClient {
  /** @throws CallError PermissionDenied where policies deny the request; names are not resolved for it. */
  check(request: OutgoingRequest, context: CallContext): void;
  /**
   * Sends a request and follows its redirects, all within `timeoutMs`.
   * @throws CallError Internal, retryable; PermissionDenied; or the reason of the context's signal.
   */
  fetch(
    request: OutgoingRequest,
    timeoutMs: number,
    context: CallContext,
  ): Promise<{ response: IncomingResponse; url: URL }>;
  /** Closes the pooled connections; the next request opens new ones. */
  close(): void;
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export const httpClient = (env: Env): HttpClient => {
  const { settings, clock } = env;
  const allows = operationGuard(settings);
  const permissions = requestPermissions(settings, allows);
  const pools = connections(env, allows, permissions);

  /** Headers as they go out, one of each name: the trace's are ours, lower case as the instrumentation writes them. */
  const outgoingHeaders = (call: Call<Attempt>): Record<string, string> => {
    const { request } = call.input;
    const ours = new Map<string, string>();
    env.propagator.inject(call.context, (name, value) => ours.set(name.toLowerCase(), value));
    const out: Record<string, string> = {};
    const isTraced = ours.size > 0;
    for (const [lower, { name, value }] of request.headers) {
      // With a context of ours a foreign tracestate or baggage would be read as part of it.
      if (isTraced && env.propagator.fields.includes(lower)) continue;
      out[name] = latin1(value);
    }
    for (const [name, value] of ours) out[name] = value;
    if (!request.headers.has('user-agent')) out['User-Agent'] = `perilune/${env.build.version}`;
    if (asksForGzip(request)) out['Accept-Encoding'] = 'gzip';
    return out;
  };

  const sites = clientSites(env, async (call) => {
    const { request, signal } = call.input;
    permissions.check(request, call.context); // each redirect too
    return pools.send(request, outgoingHeaders(call), {
      context: call.context,
      signal,
      decodes: asksForGzip(request),
    });
  });

  return {
    check: permissions.check,
    async fetch(first, timeoutMs, context) {
      const controller = new AbortController();
      const cancel = () => controller.abort(context.signal.reason);
      if (context.signal.aborted) cancel();
      else context.signal.addEventListener('abort', cancel, { once: true });
      const cancelTimer = clock.after(timeoutMs, () =>
        controller.abort(internal(`request timed out after ${timeoutMs}ms`, { retryable: true })),
      );
      try {
        let request = first;
        for (let hops = 0; ; hops += 1) {
          const attempt = { request, signal: controller.signal };
          const response = await sites.of(request.method, request.url)({ input: attempt, context });
          const next = follow(request, response);
          if (next === undefined) return { response, url: request.url };
          if (hops === MAX_REDIRECTS) throw internal(`stopped after ${MAX_REDIRECTS} redirects`, { retryable: true });
          request = next;
        }
      } finally {
        cancelTimer();
        context.signal.removeEventListener('abort', cancel);
      }
    },
    close: pools.close,
  };
};

/** gzip is our own affair unless the program asked for an encoding, or for a part of the body. */
const asksForGzip = ({ headers, method }: OutgoingRequest): boolean =>
  method !== 'HEAD' && !headers.has('accept-encoding') && !headers.has('range');

const follow = (request: OutgoingRequest, response: IncomingResponse): OutgoingRequest | undefined => {
  let next: OutgoingRequest | undefined;
  try {
    next = redirected(request, response);
  } catch (error) {
    throw internal(`malformed redirect: ${messageOf(error)}`, { retryable: true, cause: error });
  }
  if (next !== undefined) assertScheme(next.url);
  return next;
};

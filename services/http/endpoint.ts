import type { Call } from '../../runtime/call.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, type CallError } from '../../runtime/errors.ts';
import { TRACE } from '../../runtime/trace.ts';
import type { Functions } from '../function/port.ts';
import { EXCHANGE, type Exchange, type HttpOutcome } from './exchange.ts';
import type { Route } from './router.ts';
import type { HttpCore } from './sites.ts';

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };

/** The response names the server's span, where there is one and the boot file asks for it. */
const injectTrace = (env: Env, call: Call<Exchange>): void => {
  const trace = call.context.get(TRACE);
  if (!env.settings.http.injectHeaders || trace === undefined || trace.isRemote) return;
  env.propagator.inject(call.context, (name, value) => {
    if (name === 'traceparent') call.input.addHeader(name, value);
  });
};

/** Calls the function and maps its outcome (lua/http.md, section 6). Resolves with what it failed with, if it did. */
const serve = async (functions: Functions, func: string, call: Call<Exchange>): Promise<CallError | undefined> => {
  const exchange = call.input;
  const { response } = exchange;
  try {
    const { count } = await functions.call(func, [], call.context.with(EXCHANGE, exchange));
    if (response.handled) response.end();
    // A plain Lua value, nil too, gives an empty body.
    else if (count > 0) response.reply(200, { 'Content-Type': 'application/json' }, '');
    else response.reply(500, TEXT, 'no response sent');
    return undefined;
  } catch (thrown) {
    const error = asCallError(thrown);
    if (response.handled) response.end();
    // Still connected and told to stop: the server is going away.
    else response.reply(exchange.signal.aborted ? 503 : 500, TEXT, error.message);
    return error;
  }
};

/**
 * The core of a site: it ends with the response, not with the function, so that streams and slow clients are measured
 * and traced whole.
 */
export const endpointCore =
  (env: Env, functions: () => Functions) =>
  (route: Route | undefined): HttpCore =>
  async (call): Promise<HttpOutcome> => {
    const exchange = call.input;
    const { response, reply } = exchange;
    injectTrace(env, call);
    let error: CallError | undefined;
    if (route !== undefined) error = await serve(functions(), route.func, call);
    else if (reply !== undefined) response.reply(reply.status, reply.headers, reply.body);
    await response.closed;
    const status = response.sentStatus;
    // A call that we ended because the client left is told by the status, not as an error of the function.
    const isCanceled = error?.kind === 'Canceled' && exchange.signal.aborted;
    return error === undefined || isCanceled ? { status } : { status, error };
  };

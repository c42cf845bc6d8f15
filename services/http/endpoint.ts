import { type Call, isPromise } from '../../runtime/call.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, type CallError } from '../../runtime/errors.ts';
import type { LuaCallResult } from '../../runtime/lua/engine.ts';
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
    if (name === 'traceparent') call.input.response.addHeader(name, value);
  });
};

/** Maps what the function returned (lua/http.md, section 6). */
const answer = ({ response }: Exchange, { count }: LuaCallResult): void => {
  if (response.handled) response.end();
  // A plain Lua value, nil too, gives an empty body.
  else if (count > 0) response.reply(200, { 'Content-Type': 'application/json' }, '');
  else response.reply(500, TEXT, 'no response sent');
};

/** Maps what it failed with. */
const answerFailure = (exchange: Exchange, thrown: unknown): CallError => {
  const { response } = exchange;
  const error = asCallError(thrown);
  if (response.handled) response.end();
  // Still connected and told to stop: the server is going away.
  else response.reply(exchange.signal.aborted ? 503 : 500, TEXT, error.message);
  return error;
};

const outcomeOf = ({ response, signal }: Exchange, error: CallError | undefined): HttpOutcome => {
  const status = response.sentStatus;
  // A call that we ended because the client left is told by the status, not as an error of the function.
  const isCanceled = error?.kind === 'Canceled' && signal.aborted;
  return error === undefined || isCanceled ? { status } : { status, error };
};

/** The outcome, when the response has been handed to the system or the client has gone. */
const whenOver = (exchange: Exchange, error?: CallError): HttpOutcome | Promise<HttpOutcome> => {
  if (exchange.response.isOver) return outcomeOf(exchange, error);
  return new Promise((resolve) => exchange.response.whenOver(() => resolve(outcomeOf(exchange, error))));
};

/**
 * The core of a site: it ends with the response, not with the function, so that streams and slow clients are measured
 * and traced whole.
 */
export const endpointCore =
  (env: Env, functions: () => Functions) =>
  (route: Route | undefined): HttpCore => {
    const answered = (exchange: Exchange, result: LuaCallResult): HttpOutcome | Promise<HttpOutcome> => {
      answer(exchange, result);
      return whenOver(exchange);
    };
    const failed = (exchange: Exchange, thrown: unknown): HttpOutcome | Promise<HttpOutcome> =>
      whenOver(exchange, answerFailure(exchange, thrown));

    return (call) => {
      const exchange = call.input;
      const { response, reply } = exchange;
      injectTrace(env, call);
      if (route === undefined) {
        if (reply !== undefined) response.reply(reply.status, reply.headers, reply.body);
        return whenOver(exchange);
      }
      try {
        const out = functions().call(route.func, [], call.context.with(EXCHANGE, exchange));
        if (!isPromise(out)) return answered(exchange, out); // no promise but that of the response's end
        return out.then(
          (result) => answered(exchange, result),
          (thrown: unknown) => failed(exchange, thrown),
        );
      } catch (thrown) {
        return failed(exchange, thrown);
      }
    };
  };

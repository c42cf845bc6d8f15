import { internal } from '../../runtime/errors.ts';
import { optionalTable } from '../../runtime/lua/arguments.ts';
import type { LuaEngine, LuaThread } from '../../runtime/lua/engine.ts';
import type { LuaTable } from '../../runtime/lua/values.ts';
import { HTTP_CONSTANTS } from './constants.ts';
import { EXCHANGE, type Exchange } from './exchange.ts';
import { HttpRequest, requestClass } from './lua-request.ts';
import { HttpResponse, responseClass } from './lua-response.ts';
import { type BodyLimits, DEFAULT_BODY_LIMITS } from './request-body.ts';

const limit = (options: LuaTable | undefined, key: string, whenAbsent: number): number => {
  const value = options?.get(key);
  return typeof value === 'number' && value > 0 ? value : whenAbsent;
};

const bodyLimits = (options: LuaTable | undefined): BodyLimits => ({
  maxBytes: limit(options, 'max_body', DEFAULT_BODY_LIMITS.maxBytes),
  timeoutMs: limit(options, 'timeout', DEFAULT_BODY_LIMITS.timeoutMs),
});

const exchangeOf = (thread: LuaThread): Exchange | undefined => thread.context.get(EXCHANGE);
const noExchange = () => internal('no HTTP request context found');

/** The Lua module `http`, server side (lua/http.md). */
export const defineHttpModule = (engine: LuaEngine): void => {
  engine.defineClass(requestClass);
  engine.defineClass(responseClass);
  engine.define({
    name: 'http',
    constants: HTTP_CONSTANTS,
    functions: {
      request: (thread, args) => {
        const limits = bodyLimits(optionalTable(args, 1, 'request'));
        const exchange = exchangeOf(thread);
        return exchange === undefined ? [null, noExchange()] : [new HttpRequest(exchange, limits), null];
      },
      response: (thread) => {
        const exchange = exchangeOf(thread);
        return exchange === undefined ? [null, noExchange()] : [new HttpResponse(exchange), null];
      },
    },
  });
};

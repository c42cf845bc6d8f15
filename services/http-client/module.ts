import { asCallError, CallError, invalid } from '../../runtime/errors.ts';
import { badArgument, optionalTable, tableArgument, textArgument } from '../../runtime/lua/arguments.ts';
import {
  type HostFunction,
  type HostResults,
  type LuaEngine,
  LuaRaise,
  type LuaThread,
} from '../../runtime/lua/engine.ts';
import {
  bytesOf,
  type HostValue,
  isLuaString,
  LuaTable,
  type LuaValue,
  stringFromBytes,
  textOf,
} from '../../runtime/lua/values.ts';
import type { HttpClient } from './client.ts';
import { outgoingRequest, timeoutOption } from './options.ts';
import type { IncomingResponse, OutgoingRequest } from './request.ts';
import { decodeUri, encodeUri } from './uri.ts';

/** `x-request-id` as `X-Request-Id`. */
const canonicalName = (name: string): string =>
  name.replace(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase());

const headerText = (value: string): HostValue => stringFromBytes(Buffer.from(value, 'latin1'));

const cookiesOf = (setCookies: readonly string[]): Record<string, HostValue> | undefined => {
  const cookies: Record<string, HostValue> = {};
  for (const line of setCookies) {
    const pair = line.split(';', 1)[0] ?? '';
    const at = pair.indexOf('=');
    if (at > 0)
      cookies[pair.slice(0, at).trim()] = headerText(
        pair
          .slice(at + 1)
          .trim()
          .replace(/^"(.*)"$/, '$1'),
      );
  }
  return Object.keys(cookies).length > 0 ? cookies : undefined;
};

/** The table of lua/http_client.md, section 3. */
const responseTable = (response: IncomingResponse, url: URL): HostValue => {
  const headers: Record<string, HostValue> = {};
  for (const [name, values] of response.headers) headers[canonicalName(name)] = headerText(values[0] ?? '');
  return {
    status_code: response.status,
    url: url.href,
    headers: response.headers.size > 0 ? headers : undefined,
    cookies: cookiesOf(response.headers.get('set-cookie') ?? []),
    body: response.body.length > 0 ? stringFromBytes(response.body) : undefined,
    body_size: response.body.length,
  };
};

interface Prepared {
  readonly request: OutgoingRequest;
  readonly timeoutMs: number;
}

/** What `body` gives, or what it throws. */
const fallible = <T>(body: () => T): T | CallError => {
  try {
    return body();
  } catch (error) {
    return asCallError(error);
  }
};

interface BatchItem {
  readonly method: string;
  readonly url: string;
  readonly options: LuaTable | undefined;
}

/** @throws CallError Invalid for what is not a request. */
const batchItem = (value: LuaValue): BatchItem => {
  if (!(value instanceof LuaTable)) throw invalid('each request must be a table');
  const method = value.get(1);
  const url = value.get(2);
  const options = value.get(3);
  if (!isLuaString(method)) throw invalid('method must be a string');
  if (!isLuaString(url)) throw invalid('URL must be a string');
  const table = options instanceof LuaTable ? options : undefined;
  if (table?.get('stream') === true) throw invalid('streaming not supported in batch requests');
  return { method: textOf(method).toUpperCase(), url: textOf(url), options: table };
};

/** The Lua module `http_client` (lua/http_client.md), without the options `stream` and `files`. */
export const defineHttpClientModule = (engine: LuaEngine, client: HttpClient): void => {
  const prepare = ({ method, url, options }: BatchItem): Prepared => ({
    request: outgoingRequest(method, url, options),
    timeoutMs: timeoutOption(options),
  });
  const fetch = async (thread: LuaThread, { request, timeoutMs }: Prepared): Promise<HostValue> => {
    const done = await client.fetch(request, timeoutMs, thread.context);
    return responseTable(done.response, done.url);
  };
  const send = async (thread: LuaThread, item: BatchItem): Promise<HostValue> => fetch(thread, prepare(item));

  const respond = (thread: LuaThread, item: BatchItem): Promise<HostResults> => {
    if (item.method === '') throw new LuaRaise('method required');
    if (item.url === '') throw new LuaRaise('URL required');
    return send(thread, item).then(
      (response): HostResults => [response, null],
      (error: unknown): HostResults => [null, asCallError(error)],
    );
  };

  const withMethod =
    (name: string): HostFunction =>
    (thread, args) =>
      respond(thread, {
        method: name.toUpperCase(),
        url: textArgument(args, 1, name),
        options: optionalTable(args, 2, name),
      });

  const sendAll = async (thread: LuaThread, items: readonly BatchItem[]): Promise<HostResults> => {
    const prepared = items.map((item) => fallible(() => prepare(item)));
    // One that is denied denies all of them, before anything is sent.
    for (const one of prepared) {
      const fault = one instanceof CallError ? undefined : fallible(() => client.check(one.request, thread.context));
      if (fault instanceof CallError && fault.kind === 'PermissionDenied') return [null, fault];
    }
    const settled = await Promise.allSettled(
      prepared.map((one) => (one instanceof CallError ? Promise.reject(one) : fetch(thread, one))),
    );
    const responses = new Map<number, LuaValue>();
    const errors = new Map<number, LuaValue>();
    for (const [i, one] of settled.entries()) {
      if (one.status === 'fulfilled') responses.set(i + 1, one.value as LuaValue);
      else errors.set(i + 1, asCallError(one.reason));
    }
    return [new LuaTable(responses), errors.size === 0 ? null : new LuaTable(errors)];
  };

  const batch: HostFunction = (thread, args) => {
    const list = tableArgument(args, 1, 'request_batch').sequence();
    if (list.length === 0) throw new LuaRaise('requests table cannot be empty');
    let items: BatchItem[];
    try {
      items = list.map(batchItem);
    } catch (error) {
      return [null, asCallError(error)];
    }
    return sendAll(thread, items);
  };

  engine.define({
    name: 'http_client',
    yields: ['get', 'post', 'put', 'delete', 'head', 'patch', 'request', 'request_batch'],
    functions: {
      get: withMethod('get'),
      post: withMethod('post'),
      put: withMethod('put'),
      delete: withMethod('delete'),
      head: withMethod('head'),
      patch: withMethod('patch'),
      request: (thread, args) =>
        respond(thread, {
          method: textArgument(args, 1, 'request').toUpperCase(),
          url: textArgument(args, 2, 'request'),
          options: optionalTable(args, 3, 'request'),
        }),
      request_batch: batch,
      encode_uri: (_thread, args) => [encodeUri(bytesOf(textOnly(args[0], 'encode_uri')))],
      decode_uri: (_thread, args) => {
        const bytes = bytesOf(textOnly(args[0], 'decode_uri'));
        try {
          return [decodeUri(Buffer.from(bytes).toString('latin1')), null];
        } catch (error) {
          return [null, asCallError(error)];
        }
      },
    },
  });
};

/** These two raise for anything but a string, numbers included (lua/http_client.md, section 1). */
const textOnly = (value: LuaValue, name: string): string | Uint8Array => {
  if (isLuaString(value)) return value;
  throw badArgument(1, name, 'string', value);
};

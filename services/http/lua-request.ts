import { decodeJson } from '../../runtime/codec/json.ts';
import { type CallError, invalid, messageOf } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { HostResults, LuaClass } from '../../runtime/lua/engine.ts';
import {
  type HostObject,
  type HostValue,
  hostObject,
  stringFromBytes,
  textOf,
  vmSlot,
} from '../../runtime/lua/values.ts';
import { type Exchange, peerOf } from './exchange.ts';
import { type BodyLimits, contentLength } from './request-body.ts';

/** What Lua calls a Request (lua/http.md, section 3): one exchange, seen with limits of its own. */
export class HttpRequest implements HostObject {
  readonly [hostObject] = true;
  [vmSlot]: object | undefined = undefined;
  readonly exchange: Exchange;
  readonly limits: BodyLimits;

  constructor(exchange: Exchange, limits: BodyLimits) {
    this.exchange = exchange;
    this.limits = limits;
  }
}

/** Node hands header values over as one character per byte. */
const headerText = (value: string): HostValue => stringFromBytes(Buffer.from(value, 'latin1'));

const header = (self: HttpRequest, name: string): HostValue => {
  const values = self.exchange.req.headersDistinct[name.toLowerCase()];
  return values === undefined ? undefined : headerText(values.join(', '));
};

const query = (self: HttpRequest): URLSearchParams => new URLSearchParams(self.exchange.rawQuery);

/** The first value of a name, or null. Without encodings nothing has to be decoded, and no other parameter looked at. */
const queryValue = (self: HttpRequest, name: string): string | null => {
  const raw = self.exchange.rawQuery;
  if (raw.includes('%') || raw.includes('+') || raw.startsWith('?') || name.includes('=') || name.includes('&')) {
    return query(self).get(name);
  }
  for (let at = 0; at < raw.length; ) {
    const next = raw.indexOf('&', at);
    const end = next < 0 ? raw.length : next;
    if (end > at && raw.startsWith(name, at)) {
      const after = at + name.length;
      if (after === end) return '';
      if (after < end && raw[after] === '=') return raw.slice(after + 1, end);
    }
    at = end + 1;
  }
  return null;
};

const queryParams = (self: HttpRequest): Record<string, string> => {
  const joined = new Map<string, string>();
  for (const [name, value] of query(self)) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
};

const remoteAddress = (self: HttpRequest): string => {
  const { address, port } = peerOf(self.exchange.req);
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
};

const accepts = (self: HttpRequest, type: string): boolean => {
  const accept = self.exchange.req.headers.accept ?? '';
  return accept.split(',').some((item) => item.trim() === type || item.trim() === '*/*');
};

const failed = (error: unknown): HostResults => [null, error as CallError];

/** `use` on the body once it is there; its failures are values for Lua, not raised. */
const withBody = (self: HttpRequest, use: (bytes: Uint8Array) => HostResults): HostResults | Promise<HostResults> => {
  let bytes: Uint8Array | Promise<Uint8Array>;
  try {
    bytes = self.exchange.body.read(self.limits);
  } catch (error) {
    return failed(error);
  }
  return bytes instanceof Uint8Array ? use(bytes) : bytes.then(use, failed);
};

const parseJson = (bytes: Uint8Array): HostResults => {
  if (bytes.length === 0) return [null, invalid('request body is empty')];
  try {
    return [decodeJson(textOf(bytes)), null];
  } catch (error) {
    return [null, invalid(messageOf(error))];
  }
};

export const requestClass: LuaClass<HttpRequest> = {
  name: 'http.Request',
  constructor: HttpRequest,
  tostring: ({ exchange }) => `http.Request{method=${exchange.req.method}, path=${exchange.path}}`,
  methods: {
    method: ({ exchange }) => [exchange.req.method?.toUpperCase(), null],
    path: ({ exchange }) => [exchange.path, null],
    query: (self, _thread, args) => [queryValue(self, textArgument(args, 1, 'query')), null],
    query_params: (self) => [queryParams(self), null],
    header: (self, _thread, args) => [header(self, textArgument(args, 1, 'header')), null],
    content_type: (self) => [header(self, 'content-type'), null],
    content_length: ({ exchange }) => [contentLength(exchange.req), null],
    host: (self) => [header(self, 'host'), null],
    remote_addr: (self) => [remoteAddress(self), null],
    param: ({ exchange }, _thread, args) => [exchange.params.get(textArgument(args, 1, 'param')), null],
    params: ({ exchange }) => [Object.fromEntries(exchange.params), null],
    has_body: ({ exchange }) => [contentLength(exchange.req) > 0, null],
    body: (self) => withBody(self, (bytes) => [stringFromBytes(bytes), null]),
    body_json: (self) => withBody(self, parseJson),
    accepts: (self, _thread, args) => [accepts(self, textArgument(args, 1, 'accepts')), null],
    is_content_type: ({ exchange }, _thread, args) => {
      const prefix = textArgument(args, 1, 'is_content_type');
      return [(exchange.req.headers['content-type'] ?? '').startsWith(prefix), null];
    },
  },
};

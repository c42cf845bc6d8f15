import { parseDurationMs } from '../../runtime/duration.ts';
import { internal, messageOf } from '../../runtime/errors.ts';
import { numberText } from '../../runtime/lua/arguments.ts';
import { bytesOf, isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { assertScheme, type Header, type OutgoingRequest, type TransportOptions } from './request.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_RESPONSE_BYTES = 125_829_120;
/** Framing is ours: a wrong length would shift the next response of a pooled connection. */
const FRAMING_HEADERS = new Set(['content-length', 'transfer-encoding']);

const text = (value: LuaValue): string | undefined => {
  if (isLuaString(value)) return textOf(value);
  return typeof value === 'number' ? numberText(value) : undefined;
};

/** A map option as pairs of text; entries of other types are left out, as the whole option is. */
const pairs = (value: LuaValue): readonly (readonly [string, string])[] => {
  if (!(value instanceof LuaTable)) return [];
  const out: (readonly [string, string])[] = [];
  for (const [key, item] of value.map) {
    const name = text(key as LuaValue);
    const content = text(item);
    if (name !== undefined && content !== undefined) out.push([name, content]);
  }
  return out;
};

/** Milliseconds of `timeout`: seconds as a number, or a duration text. */
export const timeoutOption = (options: LuaTable | undefined): number => {
  const value = options?.get('timeout');
  const ms = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? parseDurationMs(value) : undefined;
  return ms !== undefined && ms > 0 ? ms : DEFAULT_TIMEOUT_MS;
};

const bodyOption = (options: LuaTable | undefined): { body: Uint8Array; type?: string } => {
  const form = options?.get('form');
  if (form instanceof LuaTable) {
    const encoded = new URLSearchParams(pairs(form).map(([name, value]): [string, string] => [name, value])).toString();
    return { body: Buffer.from(encoded, 'utf8'), type: 'application/x-www-form-urlencoded' };
  }
  const body = options?.get('body');
  return { body: isLuaString(body) ? bytesOf(body) : new Uint8Array(0) };
};

const transportOptions = (options: LuaTable | undefined): TransportOptions => {
  const maximum = options?.get('max_response_body');
  const socket = options?.get('unix_socket');
  const network = options?.get('overlay_network');
  const tls = options?.get('tls');
  const tlsText = (key: string): string | undefined => {
    const value = tls instanceof LuaTable ? tls.get(key) : undefined;
    return isLuaString(value) && value.length > 0 ? textOf(value) : undefined;
  };
  return {
    socketPath: isLuaString(socket) && socket.length > 0 ? textOf(socket) : undefined,
    network: isLuaString(network) && network.length > 0 ? textOf(network) : undefined,
    cert: tlsText('cert'),
    key: tlsText('key'),
    ca: tlsText('ca'),
    serverName: tlsText('server_name'),
    insecureSkipVerify: tls instanceof LuaTable && tls.get('insecure_skip_verify') === true,
    maxResponseBytes: typeof maximum === 'number' && maximum > 0 ? maximum : DEFAULT_MAX_RESPONSE_BYTES,
  };
};

const headersOption = (options: LuaTable | undefined, type: string | undefined): Map<string, Header> => {
  const headers = new Map<string, Header>();
  const set = (name: string, value: string) => headers.set(name.toLowerCase(), { name, value });
  if (type !== undefined) set('Content-Type', type);
  const cookies = pairs(options?.get('cookies'));
  if (cookies.length > 0) set('Cookie', cookies.map(([name, value]) => `${name}=${value}`).join('; '));
  const auth = options?.get('auth');
  const user = auth instanceof LuaTable ? text(auth.get('user')) : undefined;
  if (auth instanceof LuaTable && user !== undefined && user !== '') {
    const credentials = Buffer.from(`${user}:${text(auth.get('pass')) ?? ''}`, 'utf8');
    set('Authorization', `Basic ${credentials.toString('base64')}`);
  }
  // The program's own headers win over all of these.
  for (const [name, value] of pairs(options?.get('headers'))) {
    if (!FRAMING_HEADERS.has(name.toLowerCase())) set(name, value);
  }
  return headers;
};

const parseUrl = (address: string, options: LuaTable | undefined): URL => {
  let url: URL;
  try {
    url = new URL(address);
  } catch (error) {
    throw internal(`malformed URL: ${messageOf(error)}`, { retryable: true, cause: error });
  }
  assertScheme(url);
  for (const [name, value] of pairs(options?.get('query'))) url.searchParams.set(name, value);
  return url;
};

/**
 * The request that Lua describes; options of a wrong type are ignored (lua/http_client.md, section 2).
 * @throws CallError Internal, retryable, for a URL that cannot be used.
 */
export const outgoingRequest = (method: string, address: string, options: LuaTable | undefined): OutgoingRequest => {
  const url = parseUrl(address, options);
  const { body, type } = bodyOption(options);
  const headers = headersOption(options, type);
  if (url.username !== '' && !headers.has('authorization')) {
    const credentials = Buffer.from(decodeURIComponent(`${url.username}:${url.password}`), 'utf8');
    headers.set('authorization', { name: 'Authorization', value: `Basic ${credentials.toString('base64')}` });
  }
  // Neither spans nor the result's `url` may show them.
  url.username = '';
  url.password = '';
  return { method, url, headers, body, transport: transportOptions(options) };
};

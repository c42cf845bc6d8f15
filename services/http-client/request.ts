import { internal } from '../../runtime/errors.ts';

/** An outgoing request with everything that the program asked for, before redirects. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  /** By lower-case name: the name as it goes out, and the value. Later ones replace earlier ones of any case. */
  readonly headers: ReadonlyMap<string, Header>;
  /** Empty: no body. */
  readonly body: Uint8Array;
  readonly transport: TransportOptions;
}
export interface Header {
  readonly name: string;
  readonly value: string;
}

export interface TransportOptions {
  readonly socketPath?: string;
  /** PEM texts. */
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
  /** Id of the network to go through. */
  readonly network?: string;
  readonly maxResponseBytes: number;
}

/** What came back, decoded; `headers` keeps the values of each name, lower case, in order. */
export interface IncomingResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
  /** `1.1`, as the server said it. */
  readonly protocolVersion?: string;
}

/** Lower-case host, with the port where it is not the scheme's: the label `host`. */
export const hostLabel = (url: URL): string => url.host.toLowerCase();

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Headers that are secrets of one host. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'cookie2', 'www-authenticate'];
const BODY_HEADERS = ['content-type', 'content-encoding', 'content-language', 'content-location'];

/**
 * The request that a response asks for instead; undefined when it is final. 307 and 308 keep method and body, the
 * others become GET (WHATWG Fetch, "HTTP-redirect fetch"); another host, or the same without TLS,
 * is not told the secrets of the first.
 * @throws TypeError when the Location is not a URL.
 */
export const redirected = (request: OutgoingRequest, response: IncomingResponse): OutgoingRequest | undefined => {
  const location = response.headers.get('location')?.[0];
  if (location === undefined || !REDIRECTS.has(response.status)) return undefined;
  const url = new URL(Buffer.from(location, 'latin1').toString('utf8'), request.url);
  if (url.hash === '') url.hash = request.url.hash;
  const headers = new Map(request.headers);
  const isDowngrade = request.url.protocol === 'https:' && url.protocol === 'http:';
  if (url.host !== request.url.host || isDowngrade) for (const name of PRIVATE_HEADERS) headers.delete(name);
  headers.delete('host');
  if (response.status === 307 || response.status === 308) return { ...request, url, headers };
  for (const name of BODY_HEADERS) headers.delete(name);
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
  return { ...request, method, url, headers, body: new Uint8Array(0) };
};

/** @throws CallError Internal, retryable, for what is neither http nor https. */
export const assertScheme = (url: URL): void => {
  if (url.protocol === 'http:' || url.protocol === 'https:') return;
  throw internal(`unsupported protocol scheme '${url.protocol.slice(0, -1)}'`, { retryable: true });
};

/** Where one signal is sent, checked before an exporter sees it: the SDK's constructor throws, or falls back in silence. */
export type Endpoint =
  | { readonly ok: true; readonly url: string; readonly warning: string | undefined }
  | { readonly ok: false; readonly problem: string };

export interface EndpointOptions {
  /** `v1/traces`: appended to a base URL. Undefined: the text names the whole URL (a per-signal variable). */
  readonly path: string | undefined;
  /** Plain text off loopback where the scheme is left out. */
  readonly insecure: boolean;
  /** What the text is from, for messages. */
  readonly from?: string;
}

export const isLoopback = (hostname: string): boolean => {
  const host = hostname.toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host === '::1') return true;
  const parts = host.split('.');
  return parts.length === 4 && parts[0] === '127' && parts.every((part) => part !== '' && !Number.isNaN(Number(part)));
};

const parseUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

/** Without user and password, which are never shown. */
const shown = (url: URL): string => `${url.protocol}//${url.host}`;

/** The endpoint's text with the user info left out: safe for a message. */
const withoutUserInfo = (text: string): string => {
  const at = text.lastIndexOf('@');
  return at === -1 ? text : `***@${text.slice(at + 1)}`;
};

/**
 * The URL to send to. A scheme decides TLS; without one it is plain on loopback and TLS elsewhere, unless `insecure`.
 * Plain text off loopback is somebody's explicit choice and gives a warning.
 */
export const resolveEndpoint = (given: string, options: EndpointOptions): Endpoint => {
  const text = given.trim();
  const origin = options.from === undefined ? '' : ` of ${options.from}`;
  const problem = (what: string): Endpoint => ({
    ok: false,
    problem: `OTLP endpoint '${withoutUserInfo(given)}'${origin} ${what}. Write e.g. http://localhost:4318`,
  });
  if (text === '') return problem('is empty');
  if (/\s/.test(text)) return problem('holds white space');
  const hasScheme = text.includes('://');
  const bare = hasScheme ? undefined : parseUrl(`https://${text}`);
  const url = hasScheme ? parseUrl(text) : bare && parseUrl(`${schemeFor(bare, options.insecure)}://${text}`);
  if (url === undefined) return problem('is not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return problem(`has the scheme '${url.protocol}'`);
  if (url.hostname === '') return problem('has no host');
  if (options.path !== undefined) url.pathname = `${url.pathname.replace(/\/+$/, '')}/${options.path}`;
  url.hash = '';
  const isPlain = url.protocol === 'http:' && !isLoopback(url.hostname);
  const warning = isPlain ? `telemetry leaves this machine unencrypted: ${shown(url)} is not https` : undefined;
  return { ok: true, url: url.href, warning };
};

const schemeFor = (url: URL, insecure: boolean): string => (isLoopback(url.hostname) || insecure ? 'http' : 'https');

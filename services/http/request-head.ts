import type { IncomingMessage } from 'node:http';

const NO_VALUES: readonly string[] = [];

/** Every value of a header, in order: `req.headers` joins or drops repeated ones, and two `traceparent` are not one. */
export const headerValues =
  (req: IncomingMessage) =>
  (name: string): readonly string[] => {
    if (req.headers[name] === undefined) return NO_VALUES;
    const values: string[] = [];
    const raw = req.rawHeaders;
    for (let i = 0; i < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) values.push(raw[i + 1] ?? '');
    return values;
  };

/** Path and query of a request line; an absolute form loses its origin (RFC 9112, section 3.2.2). */
export const parseTarget = (url: string): { path: string; query: string } => {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const end = target.indexOf('?');
  const path = end < 0 ? target : target.slice(0, end);
  return { path: path === '' ? '/' : path, query: end < 0 ? '' : target.slice(end + 1) };
};

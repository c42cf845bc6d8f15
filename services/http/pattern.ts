/** A path of declarations.md, section 5.4, taken apart. */
export interface Pattern {
  /** As written, with the prefix: `/orders/{id}`. What `http.route` shows. */
  readonly template: string;
  /** In the syntax of find-my-way, parameters named by position. */
  readonly path: string;
  /** Names of the parameters, by position. */
  readonly params: readonly string[];
  /** Equal for two patterns that match the same requests: parameter names left out. */
  readonly canonical: string;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A parameter never matches an empty segment; the expression is all that tells find-my-way. */
const SEGMENT = '([\\s\\S]+)';

const brace = (segment: string): string | undefined =>
  segment.startsWith('{') && segment.endsWith('}') ? segment.slice(1, -1) : undefined;

/**
 * Parses a full path (prefix and endpoint path joined).
 * @returns a text that says what is wrong with it, where something is.
 */
export const parsePattern = (template: string): Pattern | string => {
  if (!template.startsWith('/')) return 'path must start with /';
  const bad = /[*?#\s]/.exec(template);
  if (bad !== null) return `path must not contain '${bad[0]}'`;
  const segments = template.slice(1).split('/');
  const params: string[] = [];
  let path = '';
  let canonical = '';
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    const inner = brace(segment) ?? (segment.startsWith(':') ? segment.slice(1) : undefined);
    if (segment === '') {
      if (!isLast) return 'path must not contain empty segments (//)';
      path += '/*';
      canonical += '/*';
    } else if (segment === '.' || segment === '..') {
      return `path must not contain the segment '${segment}'`;
    } else if (segment === '{$}') {
      if (!isLast) return '{$} is only allowed as the last segment';
      path += '/';
      canonical += '/';
    } else if (inner === undefined) {
      if (/[{}]/.test(segment)) return `'${segment}': a parameter takes a whole segment, e.g. /orders/{id}`;
      path += `/${segment.replaceAll(':', '::')}`;
      canonical += `/${segment}`;
    } else if (inner.endsWith('...') && segment.startsWith('{')) {
      if (!NAME.test(inner.slice(0, -3))) return `'${segment}': not a parameter name`;
      if (!isLast) return `'${segment}' is only allowed as the last segment`;
      path += '/*';
      canonical += '/*';
    } else {
      if (!NAME.test(inner)) return `'${segment}': not a parameter name`;
      if (params.includes(inner)) return `parameter '${inner}' occurs twice`;
      path += `/:p${params.length}${SEGMENT}`;
      canonical += '/{}';
      params.push(inner);
    }
  }
  return { template, path, params, canonical };
};

const hexDots = (segment: string): string => segment.replace(/%2e/gi, '.');

/**
 * The clean form of a request's path: no `//`, `.` or `..`, a trailing slash kept. The same text when it is clean.
 * A backslash after the first slash is encoded, since browsers take `/\host` in a Location for another host.
 */
export const cleanPath = (path: string): string => {
  if (!/\/\/|\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return path;
  const out: string[] = [];
  const segments = path.split('/').slice(1);
  for (const segment of segments) {
    const plain = hexDots(segment);
    if (plain === '..') out.pop();
    else if (plain !== '.' && plain !== '') out.push(segment);
  }
  const last = hexDots(segments.at(-1) ?? '');
  const trailing = out.length > 0 && (last === '' || last === '.' || last === '..') ? '/' : '';
  return `/${out.join('/')}${trailing}`.replace(/^\/\\/, '/%5C');
};

import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Reply } from './exchange.ts';
import { cleanPath, type Pattern } from './pattern.ts';

/** An endpoint at its place: `pattern` is the full path, the router's prefix included. */
export interface Route {
  readonly id: string;
  readonly method: string;
  readonly pattern: Pattern;
  readonly func: string;
}

export type Found =
  | { readonly route: Route; readonly params: ReadonlyMap<string, string> }
  | { readonly route: undefined; readonly reply: Reply };

export interface Router {
  /** `path` is the raw path of the request line, `query` what followed `?`. */
  find(method: string, path: string, query: string): Found;
}

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };
const NO_PARAMS: ReadonlyMap<string, string> = new Map();
const notFound: Found = { route: undefined, reply: { status: 404, headers: TEXT, body: 'not found\n' } };
const badRequest: Found = { route: undefined, reply: { status: 400, headers: TEXT, body: 'bad request path\n' } };
/** Longest parameter; the size of a request's head bounds it anyway. */
const MAX_PARAM_LENGTH = 65_536;

const redirect = (method: string, path: string, query: string): Found => ({
  route: undefined,
  reply: {
    // 308 keeps the method and the body, which 301 loses in practice (RFC 9110, section 15.4).
    status: method === 'GET' || method === 'HEAD' ? 301 : 308,
    headers: { ...TEXT, Location: query === '' ? path : `${path}?${query}` },
    body: '',
  },
});

/** No parameters, no encodings, nothing that is cleaned. */
const LITERAL = /^(?:\/[A-Za-z0-9_-]+)+$/;

const isDecodable = (path: string): boolean => {
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false; // answered with 400
  }
};

/** Matches requests against routes that do not conflict; built once per service. */
export const router = (routes: readonly Route[]): Router => {
  const paths = findMyWay({ maxParamLength: MAX_PARAM_LENGTH });
  const methodsOf = new Map<string, Map<string, Route>>();
  for (const route of routes) {
    const methods = methodsOf.get(route.pattern.canonical) ?? new Map<string, Route>();
    methodsOf.set(route.pattern.canonical, methods.set(route.method, route));
  }
  const noHandler = () => {};
  for (const methods of methodsOf.values()) {
    const get = methods.get('GET');
    if (get !== undefined && !methods.has('HEAD')) methods.set('HEAD', get);
    const [first] = methods.values();
    // An OPTIONS route for each path unless declared: a store without a route (declarations.md, section 5.4).
    if (first !== undefined && !methods.has('OPTIONS')) paths.on('OPTIONS', first.pattern.path, noHandler, undefined);
    for (const [method, route] of methods) paths.on(method as HTTPMethod, route.pattern.path, noHandler, route);
  }
  const methods = [...new Set([...routes.map((route) => route.method), 'HEAD', 'OPTIONS'])].sort();

  const allowed = (path: string): string =>
    methods.filter((method) => paths.find(method as HTTPMethod, path) !== null).join(', ');

  /** Routes whose path is what requests send, letter by letter: found without taking anything apart. */
  const literal = new Map<string, ReadonlyMap<string, Found>>();
  for (const ofPath of methodsOf.values()) {
    const [first] = ofPath.values();
    if (first === undefined || !LITERAL.test(first.pattern.path)) continue;
    const found = [...ofPath].map(([method, route]) => [method, { route, params: NO_PARAMS }] as const);
    literal.set(first.pattern.path, new Map(found));
  }

  return {
    find(method, path, query) {
      const exact = literal.get(path)?.get(method);
      if (exact !== undefined) return exact;
      if (!path.startsWith('/') || !isDecodable(path)) return badRequest;
      const clean = cleanPath(path);
      if (clean !== path) return redirect(method, clean, query);
      const match = paths.find(method as HTTPMethod, path);
      if (match !== null) {
        const route = (match.store ?? undefined) as Route | undefined;
        if (route === undefined) {
          return { route, reply: { status: 204, headers: { Allow: allowed(path) }, body: '' } };
        }
        const names = route.pattern.params;
        if (names.length === 0) return { route, params: NO_PARAMS };
        return { route, params: new Map(names.map((name, i) => [name, match.params[`p${i}`] ?? ''])) };
      }
      const allow = allowed(path);
      if (allow !== '') {
        return {
          route: undefined,
          reply: { status: 405, headers: { ...TEXT, Allow: allow }, body: 'method not allowed\n' },
        };
      }
      // `/docs` where only `/docs/` and what is below it exist.
      if (!path.endsWith('/') && allowed(`${path}/`) !== '') return redirect(method, `${path}/`, query);
      return notFound;
    },
  };
};

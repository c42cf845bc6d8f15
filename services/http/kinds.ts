import { z } from 'zod';
import type { EntryProblem, ReferenceSpec } from '../../runtime/entry.ts';
import { lifecycleSchema } from '../../runtime/lifecycle-schema.ts';
import { duration, nonNegativeInt, required } from '../../runtime/schema-fields.ts';
import { parsePattern } from './pattern.ts';

const timeout = (name: string) => duration({ negative: `timeouts.${name} must be non-negative` }).default(0);
const textMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({});

/** `host:port`, `:port`, `[::1]:port`. Undefined when it is none of them. */
export const parseAddress = (text: string): { host: string | undefined; port: number } | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { host: match[1] ?? (match[2] === '' ? undefined : match[2]), port };
};

export const serviceSchema = z.object({
  meta: z.looseObject({}).default({}),
  addr: required('address is required').refine((text) => text === '' || parseAddress(text) !== undefined, {
    error: 'address must be host:port or :port, with a port from 0 to 65535',
  }),
  timeouts: z.object({ read: timeout('read'), write: timeout('write'), idle: timeout('idle') }).prefault({}),
  /** Accepted for compatibility: one event loop serves all requests, without a queue of its own. */
  host: z
    .object({
      buffer_size: nonNegativeInt('host.buffer_size must be non-negative').default(1024),
      worker_count: nonNegativeInt('host.worker_count must be non-negative').default(0),
    })
    .prefault({}),
  network: z.string().optional(),
  tls: z.looseObject({ mode: z.string().default('') }).prefault({}),
  lifecycle: lifecycleSchema,
});
export type ServiceConfig = z.infer<typeof serviceSchema>;

export const routerSchema = z.object({
  meta: z.looseObject({ server: required('server metadata is required') }, { error: 'metadata is required' }),
  prefix: z
    .string()
    .default('')
    .transform((text) => text.replace(/\/+$/, '')),
  middleware: z.array(z.string()).default([]),
  options: textMap,
  post_middleware: z.array(z.string()).default([]),
  post_options: textMap,
});
export type RouterConfig = z.infer<typeof routerSchema>;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE'];
export const endpointSchema = z.object({
  meta: z.looseObject({ router: required('router metadata is required') }, { error: 'router metadata is required' }),
  method: required('method is required').refine((text) => text === '' || METHODS.includes(text), {
    error: (issue) => `invalid HTTP method: ${String(issue.input)}`,
  }),
  path: required('path is required').refine((text) => text === '' || text.startsWith('/'), {
    error: 'path must start with /',
  }),
  func: required('function name is required'),
});
export type EndpointConfig = z.infer<typeof endpointSchema>;

/** Accepted without effect: every route is metered and traced (telemetry.md, section 2). */
const INERT_MIDDLEWARE = ['metrics', 'otel'];
const KNOWN_MIDDLEWARE = [
  'cors',
  'real_ip',
  'compress',
  'ratelimit',
  'sendfile',
  'token_auth',
  'endpoint_firewall',
  'resource_firewall',
  'websocket_relay',
  'sse_relay',
];

const middlewareProblems = (path: string, names: readonly string[]): EntryProblem[] =>
  names.flatMap((name, i) => {
    if (INERT_MIDDLEWARE.includes(name)) return [];
    const message = KNOWN_MIDDLEWARE.includes(name)
      ? `middleware '${name}' is not available in this version. Remove it, or do its work in the function.`
      : `unknown middleware '${name}'. Known here: ${INERT_MIDDLEWARE.join(', ')}.`;
    return [{ path: `${path}[${i}]`, message }];
  });

export const checkService = (config: ServiceConfig): EntryProblem[] => {
  const problems: EntryProblem[] = [];
  const { mode } = config.tls;
  if (!['', 'auto', 'manual'].includes(mode)) problems.push({ path: 'tls.mode', message: `invalid tls.mode: ${mode}` });
  else if (mode !== '') {
    problems.push({
      path: 'tls.mode',
      message: `tls.mode '${mode}' is not available in this version. Put a TLS proxy in front.`,
    });
  } else if (Object.keys(config.tls).length > 1) {
    problems.push({ path: 'tls', message: 'tls.mode=off must not set cert/key or mTLS fields' });
  }
  if (config.network !== undefined && config.network !== '') {
    problems.push({ path: 'network', message: 'network entries are not available in this version. Remove the key.' });
  }
  return problems;
};

export const checkRouter = (config: RouterConfig): EntryProblem[] => {
  const problems = [
    ...middlewareProblems('middleware', config.middleware),
    ...middlewareProblems('post_middleware', config.post_middleware),
  ];
  if (config.prefix !== '') {
    const pattern = parsePattern(config.prefix);
    if (typeof pattern === 'string') problems.push({ path: 'prefix', message: pattern.replace(/^path /, 'prefix ') });
  }
  return problems;
};

export const checkEndpoint = (config: EndpointConfig): EntryProblem[] => {
  const pattern = parsePattern(config.path);
  return typeof pattern === 'string' ? [{ path: 'path', message: pattern }] : [];
};

export const SERVICE = 'http.service';
export const ROUTER = 'http.router';
export const ENDPOINT = 'http.endpoint';

export const routerReferences: readonly ReferenceSpec[] = [{ path: 'meta.server', kinds: [SERVICE] }];
export const endpointReferences: readonly ReferenceSpec[] = [
  { path: 'meta.router', kinds: [ROUTER] },
  { path: 'func', kinds: ['function.lua', 'process.lua'] },
];

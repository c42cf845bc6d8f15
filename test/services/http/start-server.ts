import http from 'node:http';
import type { Component } from '../../../runtime/lifecycle.ts';
import { HTTP_SERVERS } from '../../../services/http/port.ts';
import { httpSurface } from '../../../services/http/surface.ts';
import { poll } from '../../harness/poll.ts';
import type { Scope } from '../../harness/teardown.ts';
import { declare, type EntryText, type FakeEnvOptions, fakeEnv, type Handler } from './fake-env.ts';

/** `METHOD /path` to the handler of an endpoint; the endpoint's id is `app:<method>.<n>`. */
export interface ServerOptions extends Omit<FakeEnvOptions, 'functions' | 'registry'> {
  readonly service?: Record<string, unknown>;
  readonly prefix?: string;
  readonly middleware?: readonly string[];
}
export interface SendOptions {
  readonly headers?: http.OutgoingHttpHeaders | string[];
  readonly body?: string | Uint8Array;
  /** `false`: other requests still run, so there is no quiet point to wait for. */
  readonly settles?: boolean;
}
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly body: string;
}

export const entriesOf = (routes: Readonly<Record<string, unknown>>, options: ServerOptions = {}): EntryText[] => [
  { id: 'app:gate', kind: 'http.service', addr: '127.0.0.1:0', lifecycle: { auto_start: true }, ...options.service },
  {
    id: 'app:api',
    kind: 'http.router',
    meta: { server: 'app:gate' },
    prefix: options.prefix ?? '',
    middleware: options.middleware ?? [],
  },
  ...Object.keys(routes).map((route, i) => {
    const [method = '', path = ''] = route.split(' ');
    const id = `app:${method.toLowerCase()}.${i}`;
    return { id, kind: 'http.endpoint', meta: { router: 'app:api' }, method, path, func: `app:f${i}` };
  }),
];

/** A server on a free port with real sockets, and all that it measures. */
export const startServer = async (t: Scope, routes: Readonly<Record<string, Handler>>, options: ServerOptions = {}) => {
  const { registry, problems } = declare(httpSurface, entriesOf(routes, options));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const functions = Object.fromEntries(Object.values(routes).map((one, i) => [`app:f${i}`, one]));
  const fake = fakeEnv({ ...options, registry, functions });
  const components = httpSurface.build(fake.env);
  const [component] = components as [Component];
  await component.start?.();
  await component.open?.();
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(async () => {
    agent.destroy();
    await component.stop?.();
  });
  const address = fake.env.use(HTTP_SERVERS).addresses()[0]?.address ?? '';
  const port = Number(address.split(':').at(-1));

  const open = (method: string, path: string, headers: http.OutgoingHttpHeaders | string[] = {}) =>
    http.request({ host: '127.0.0.1', port, method, path, agent, headers: headers as http.OutgoingHttpHeaders });
  /** The server's side of an exchange ends a moment after the client has read everything. */
  const settled = () =>
    poll('requests settle', () => fake.rows('wippy_http_requests_in_flight').every((row) => row.endsWith(' 0')), {
      everyMs: 1,
    });
  const send = async (method: string, path: string, options: SendOptions = {}): Promise<Answer> => {
    const answer = await sendOnly(method, path, options);
    if (options.settles !== false) await settled();
    return answer;
  };
  const sendOnly = (method: string, path: string, { headers, body }: SendOptions): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = open(method, path, headers);
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            raw: response.rawHeaders,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      // Node writes the head as UTF-8 together with a body that is text, and byte by byte otherwise.
      request.end(typeof body === 'string' ? Buffer.from(body) : body);
    });
  return { ...fake, component, address, port, open, send };
};

import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { rootContext } from '../../../runtime/context.ts';
import type { CallError } from '../../../runtime/errors.ts';
import type { LuaValue } from '../../../runtime/lua/values.ts';
import { httpClientSurface } from '../../../services/http-client/surface.ts';
import type { Scope } from '../../harness/teardown.ts';
import { type FakeEnvOptions, fakeEnv } from '../http/fake-env.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly body: string;
  readonly port: number | undefined;
}
export type Respond = (res: ServerResponse, seen: Seen) => void;

const readBody = async (req: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** A server that answers by path and remembers what it was asked, and a client to ask it with. */
export const startTarget = async (
  t: Scope,
  routes: Readonly<Record<string, Respond>>,
  options: FakeEnvOptions = {},
) => {
  const requests: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer(async (req, res) => {
    const { method = '', url = '', headers, rawHeaders: raw } = req;
    const seen = { method, url, headers, raw, port: req.socket.remotePort, body: await readBody(req) };
    requests.push(seen);
    const respond = routes[url.split('?')[0] ?? ''];
    if (respond === undefined) res.writeHead(404).end('none');
    else respond(res, seen);
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const fake = fakeEnv(options);
  const [component] = httpClientSurface.build(fake.env);
  t.teardown(async () => {
    await component?.stop?.();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const base = `http://127.0.0.1:${port}`;
  const lua = fake.lua(rootContext);
  /** What Lua gets: `[response, nil]` or `[nil, error]`. */
  const ask = async (name: string, ...args: LuaValue[]) =>
    (await lua.call('http_client', name, ...args)) as unknown as [Record<string, unknown> | null, CallError | null];
  return { ...fake, ask, base, port, host: `127.0.0.1:${port}`, requests, sockets, server, component };
};

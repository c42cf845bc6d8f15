import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Scope } from './teardown.ts';

/** A TCP proxy on a port that stays the same: the network between the program and a server. */
export interface TcpProxy {
  readonly port: number;
  /** From now on the connections that are open swallow every byte, and say nothing; new ones work. */
  cut(): void;
  /** The same for the next connection on which the program says this; the server hears it, and its answer is lost. Resolves then. */
  cutAt(text: string): Promise<void>;
  /** Refuses connections, as a machine does whose server is gone. */
  close(): Promise<void>;
  open(): Promise<void>;
}

export const startProxy = async (scope: Scope, target: number): Promise<TcpProxy> => {
  const links = new Set<readonly [Socket, Socket]>();
  const silenced: Socket[] = [];
  let trap: { readonly text: string; readonly cut: () => void } | undefined;
  const silence = (link: readonly [Socket, Socket]): void => {
    links.delete(link);
    for (const socket of link) {
      socket.unpipe();
      socket.on('data', () => {});
      silenced.push(socket);
    }
  };
  const serve = (client: Socket): void => {
    const server = connect(target, '127.0.0.1');
    const link = [client, server] as const;
    links.add(link);
    client.on('data', (chunk: Buffer) => {
      if (trap === undefined || !chunk.includes(trap.text)) return;
      silence(link); // the pipe below still takes this chunk
      trap.cut();
      trap = undefined;
    });
    client.pipe(server);
    server.pipe(client);
    for (const [one, other] of [link, [server, client] as const]) {
      one.setNoDelay(true);
      one.on('error', () => {}); // `close` follows
      one.on('close', () => {
        if (!links.delete(link)) return; // cut, or the other end was first
        other.destroy();
      });
    }
  };
  let listener: Server | undefined;
  const open = async (port: number): Promise<number> => {
    const opened = createServer(serve);
    listener = opened;
    await new Promise<void>((resolve, reject) => opened.once('error', reject).listen(port, '127.0.0.1', resolve));
    return (opened.address() as AddressInfo).port;
  };
  const port = await open(0);
  const close = async (): Promise<void> => {
    const closing = listener;
    listener = undefined;
    if (closing === undefined) return;
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
    for (const [client, server] of links) {
      client.destroy();
      server.destroy();
    }
    for (const socket of silenced.splice(0)) socket.destroy();
    await closed;
  };
  scope.teardown(close);
  return {
    port,
    cut() {
      for (const link of links) silence(link);
    },
    cutAt: (text) =>
      new Promise((cut) => {
        trap = { text, cut };
      }),
    close,
    async open() {
      await open(port);
    },
  };
};

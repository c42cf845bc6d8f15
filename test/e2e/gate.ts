import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from '../harness/teardown.ts';

/** A service that answers when it is told to: what calls it waits as long as the script wants. */
export interface Gate {
  readonly url: string;
  /** Requests that wait now. */
  readonly waiting: number;
  /** Answers them all, and whoever comes. */
  open(): void;
}

export const startGate = async (scope: Scope): Promise<Gate> => {
  const waiting: ServerResponse[] = [];
  let isOpen = false;
  const server = createServer((_request, response) => {
    if (isOpen) response.end();
    else waiting.push(response);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const open = (): void => {
    isOpen = true;
    for (const response of waiting.splice(0)) response.end();
  };
  scope.teardown(() => {
    open();
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get waiting() {
      return waiting.length;
    },
    open,
  };
};

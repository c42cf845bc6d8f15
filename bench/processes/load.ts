import { connect } from 'node:net';
import { answer } from './answer.ts';

/** Sends one request after the other on each connection, for `ms`. */
export interface Load {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly ms: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const OK = Buffer.from('HTTP/1.1 200 ');

/** Bytes of the response at the start of `bytes`; undefined when its head is not complete. */
const lengthOf = (bytes: Buffer): number | undefined => {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  if (!bytes.subarray(0, OK.length).equals(OK)) throw new Error(`not a 200: ${head}`);
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  if (length === undefined) throw new Error(`a response without a length: ${head}`);
  return headEnd + HEAD_END.length + Number(length);
};

/**
 * Plain sockets: a client that costs as much as the server would measure itself. Every response is checked for its
 * status; its length is read from the first one and from each that differs.
 * @returns requests per second that were answered in the time
 */
const drive = async ({ port, path, connections, ms }: Load): Promise<number> => {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: perilune-bench\r\n\r\n`);
  let usual = 0;
  let answered = 0;
  const start = performance.now();

  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let waiting: Buffer | undefined;
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('connect', () => socket.write(request));
      socket.on('data', (chunk) => {
        const bytes = waiting === undefined ? chunk : Buffer.concat([waiting, chunk]);
        const isUsual = bytes.length === usual && bytes.compare(OK, 0, OK.length, 0, OK.length) === 0;
        if (!isUsual) {
          let length: number | undefined;
          try {
            length = lengthOf(bytes);
          } catch (error) {
            socket.destroy(error as Error);
            return;
          }
          if (length === undefined || bytes.length < length) {
            waiting = bytes;
            return;
          }
          usual = length;
        }
        waiting = undefined;
        if (performance.now() - start >= ms) {
          socket.destroy();
          return;
        }
        answered += 1;
        socket.write(request);
      });
    });

  await Promise.all(Array.from({ length: connections }, one));
  return (answered * 1000) / ms;
};

answer((question) => drive(question as Load));

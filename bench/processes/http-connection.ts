import { connect } from 'node:net';

/** A connection that is asked the same thing again and again, one answer at a time. */
export interface HttpConnection {
  /** `onAnswer` is called when the whole answer is there. */
  send(onAnswer: () => void): void;
  close(): void;
}

const READ_BYTES = 16 * 1024;
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
 * A plain socket: a client that costs as much as the server would measure itself. Every answer is checked for its status;
 * its length is read from the first one and from each that differs. A failure ends the process: nothing could be measured.
 */
export const openConnection = (port: number, path: string): Promise<HttpConnection> => {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: perilune-bench\r\n\r\n`);
  let usual = 0;
  let waiting: Buffer | undefined;
  let answered = (): void => {};

  const isWhole = (bytes: Buffer): boolean => {
    if (bytes.length === usual && bytes.compare(OK, 0, OK.length, 0, OK.length) === 0) return true;
    const length = lengthOf(bytes);
    if (length === undefined || bytes.length < length) return false;
    usual = length;
    return true;
  };
  return new Promise((resolve, reject) => {
    // What is read goes into one piece of memory and not through a stream: half of what an answer cost this side.
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback(length: number, buffer: Uint8Array): boolean {
        const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, length);
        const bytes = waiting === undefined ? chunk : Buffer.concat([waiting, chunk]);
        if (isWhole(bytes)) {
          waiting = undefined;
          answered();
        } else waiting = Buffer.from(bytes);
        return true;
      },
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve({
        send(onAnswer) {
          answered = onAnswer;
          socket.write(request);
        },
        close: () => socket.destroy(),
      });
    });
  });
};

import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { Readable, Writable } from 'node:stream';

/** Takes what this process would send over HTTP. */
export interface FakeHttp {
  /** Resolves with the size of the next body that was handed over whole. */
  nextBody(): Promise<number>;
}

/** Answers 200 to everything `http.request` sends, without a socket: what is left is the exporter's own work. */
export const fakeHttp = (): FakeHttp => {
  const arrivals = new EventEmitter();
  const request = (_url: URL, _options: RequestOptions, onResponse: (res: IncomingMessage) => void): ClientRequest => {
    let size = 0;
    const body = new Writable({
      write(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        done();
      },
      final(done) {
        done();
        arrivals.emit('body', size);
        const response = Object.assign(Readable.from([]), { statusCode: 200, headers: {} });
        onResponse(response as unknown as IncomingMessage);
      },
    });
    return Object.assign(body, { setTimeout: () => body, setHeader: () => body }) as unknown as ClientRequest;
  };
  http.request = request as typeof http.request;
  syncBuiltinESMExports(); // the exporters import the name
  return {
    nextBody: () => new Promise((resolve) => arrivals.once('body', resolve)),
  };
};

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from './answer.ts';

/** An OTLP collector that answers 200 at once and counts the bytes it got, by the first part of the path. */
const received: Record<string, number> = {};
const server = createServer((req, res) => {
  const sender = req.url?.split('/')[1] ?? '';
  req.on('data', (chunk: Buffer) => {
    received[sender] = (received[sender] ?? 0) + chunk.length;
  });
  req.on('end', () => res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
});

server.listen(0, '127.0.0.1', () => {
  answer((question) => (question === 'port' ? (server.address() as AddressInfo).port : { ...received }));
});

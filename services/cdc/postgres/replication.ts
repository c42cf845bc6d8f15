import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import type { Clock } from '../../../runtime/clock.ts';
import { type Lsn, lsnText, lsnTextAt, postgresMicros } from '../pgoutput/lsn.ts';

/** What of `pg` a replication connection needs beyond its public types. */
interface WireConnection extends EventEmitter {
  readonly stream: Socket;
  sendCopyFromChunk(chunk: Buffer): void;
}

/** What the server sends while it streams. */
export interface StreamHandlers {
  /** One message of the output plugin: `bytes` from `from` on, the connection's own and overwritten afterwards. `lsn` as text. */
  readonly data: (bytes: Buffer, from: number, lsn: string) => void;
  /** The server's log has come to `position`. */
  readonly keepalive: (position: Lsn, wantsReply: boolean) => void;
}

export interface StreamRequest {
  readonly slot: string;
  readonly from: Lsn;
  /** Of the output plugin. */
  readonly options: Readonly<Record<string, string>>;
}

/** A connection in replication mode: it takes commands, then streams until it ends. */
export interface Replication {
  /** Of the server's process; undefined where it has not told. */
  readonly processId: number | undefined;
  /** One command of the replication protocol. @throws Error of the server. */
  command(text: string): Promise<readonly Readonly<Record<string, string | null>>[]>;
  /** Resolves when streaming has begun. @throws Error of the server (the slot is in use ...). */
  stream(request: StreamRequest, handlers: StreamHandlers): Promise<void>;
  /** Rejects when the connection has ended, whoever ended it; never resolves. */
  readonly ended: Promise<never>;
  /** Stops and goes on reading: what is not read makes the server wait. */
  pause(): void;
  resume(): void;
  /** Everything before `position` is handled: the server may forget it. It answers with a keepalive where it is asked to. */
  confirm(position: Lsn, wantsReply?: boolean): void;
  /** Gives the connection up: `ended` rejects with the error. */
  abandon(error: Error): void;
  close(): Promise<void>;
}

const XLOG_DATA = 0x77; // w
/** The letter, where the message stands in the log, where that ends, the server's time. */
const XLOG_DATA_HEADER = 25;
const KEEPALIVE = 0x6b; // k
const CLOSE_MS = 1000;

/** https://www.postgresql.org/docs/current/protocol-replication.html. @throws Error when there is no connection. */
export const connectReplication = async (config: ClientConfig, clock: Clock): Promise<Replication> => {
  const client = new Client({ ...config, replication: 'database' } as ConstructorParameters<typeof Client>[0]);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {}); // whoever waits for it is told; with nobody waiting it is no unhandled rejection
  client.on('error', (error) => ended.reject(error));
  client.on('end', () => ended.reject(new Error('the replication connection has ended')));
  await client.connect();
  const { connection } = client as unknown as { connection: WireConnection };
  let isClosing = false;

  const received = (chunk: Buffer, { data, keepalive }: StreamHandlers): void => {
    if (isClosing) return;
    switch (chunk[0]) {
      case XLOG_DATA:
        data(chunk, XLOG_DATA_HEADER, lsnTextAt(chunk, 1));
        return;
      case KEEPALIVE:
        keepalive(chunk.readBigUInt64BE(1), chunk[17] === 1);
        return;
      default:
        throw new Error(`the server sent an unknown replication message ${chunk[0]}`);
    }
  };

  const abandon = (error: unknown): void => {
    ended.reject(error);
    connection.stream.destroy();
  };

  const { processID } = client as unknown as { processID: number | null };
  return {
    ended: ended.promise,
    processId: processID ?? undefined,
    async command(text) {
      const result = await Promise.race([client.query(text), ended.promise]);
      return result.rows;
    },
    async stream({ slot, from, options }, handlers) {
      const started = new Promise<void>((resolve) => connection.once('replicationStart', () => resolve()));
      connection.on('copyData', ({ chunk }: { chunk: Buffer }) => {
        try {
          received(chunk, handlers);
        } catch (error) {
          abandon(error);
        }
      });
      const list = Object.entries(options).map(([name, value]) => `"${name}" '${value.replaceAll("'", "''")}'`);
      const text = `START_REPLICATION SLOT "${slot}" LOGICAL ${lsnText(from)} (${list.join(', ')})`;
      const query = client.query(text);
      // It is settled when streaming ends: by the server alone, or with the connection.
      query.then(
        () => ended.reject(new Error('the server has ended the replication stream')),
        (error: unknown) => ended.reject(error),
      );
      await Promise.race([started, ended.promise]);
    },
    pause: () => void connection.stream.pause(),
    resume: () => void connection.stream.resume(),
    confirm(position, wantsReply = false) {
      if (isClosing) return;
      connection.sendCopyFromChunk(standbyStatus(position, clock.wall(), wantsReply));
    },
    abandon,
    async close() {
      if (isClosing) return;
      isClosing = true;
      connection.stream.resume(); // a socket that nobody reads never tells its end
      const cancel = clock.after(CLOSE_MS, () => connection.stream.destroy());
      try {
        await client.end();
      } finally {
        cancel();
      }
    },
  };
};

/** Standby status update: written, flushed and applied are one to us. */
const standbyStatus = (position: Lsn, wallMs: number, wantsReply: boolean): Buffer => {
  const message = Buffer.alloc(34);
  message[0] = 0x72; // r
  message.writeBigUInt64BE(position, 1);
  message.writeBigUInt64BE(position, 9);
  message.writeBigUInt64BE(position, 17);
  message.writeBigInt64BE(postgresMicros(wallMs), 25);
  message[33] = wantsReply ? 1 : 0;
  return message;
};

import { setImmediate } from 'node:timers/promises';
import { answer } from './answer.ts';
import { openConnection } from './http-connection.ts';

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly ms: number;
  /** Requests per second, evenly; absent: as many as are answered, one after the other on each connection. */
  readonly rate?: number;
}

const open = ({ connections, port, path }: Load) =>
  Promise.all(Array.from({ length: connections }, () => openConnection(port, path)));

/** @returns requests per second that were answered in the time */
const flatOut = async (load: Load): Promise<number> => {
  const pool = await open(load);
  const end = performance.now() + load.ms;
  let answers = 0;
  const isDone = pool.map(
    (connection) =>
      new Promise<void>((resolve) => {
        const next = (): void => {
          if (performance.now() >= end) {
            connection.close();
            resolve();
            return;
          }
          answers += 1;
          connection.send(next);
        };
        connection.send(next);
      }),
  );
  // Who sleeps is woken by the server's write, at its expense: on a virtual machine 20 us a request, and more for a slower one.
  while (performance.now() < end) await setImmediate();
  await Promise.all(isDone);
  return (answers * 1000) / load.ms;
};

/**
 * @returns the 99th percentile of the milliseconds from when a request was due to its answer: one that had to wait
 * for a connection, because the server was slow, has waited
 */
const paced = async (load: Load, rate: number): Promise<number> => {
  const free = await open(load);
  const pool = [...free];
  const total = Math.floor((rate * load.ms) / 1000);
  const taken: number[] = [];
  const start = performance.now();
  const dueAt = (i: number): number => start + (i * 1000) / rate;
  let sent = 0;
  while (taken.length < total) {
    while (sent < total && dueAt(sent) <= performance.now()) {
      const connection = free.pop();
      if (connection === undefined) break;
      const due = dueAt(sent);
      sent += 1;
      connection.send(() => {
        taken.push(performance.now() - due);
        free.push(connection);
      });
    }
    await setImmediate(); // timers are too coarse for what takes less than a millisecond
  }
  for (const connection of pool) connection.close();
  taken.sort((a, b) => a - b);
  return taken[Math.floor(0.99 * taken.length)] as number;
};

answer((question) => {
  const load = question as Load;
  return load.rate === undefined ? flatOut(load) : paced(load, load.rate);
});

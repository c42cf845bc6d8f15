import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { answer } from './answer.ts';

const SPAWNS = 20;
const MESSAGES = 40_000;
const ALIVE = 2;

const ended = (worker: Worker): Promise<void> =>
  new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });

/** Workers per second that start, do nothing and end; as many at a time as there are processors to run them. */
const spawnRound = async (): Promise<number> => {
  const start = performance.now();
  for (let i = 0; i < SPAWNS; i += ALIVE) {
    await Promise.all(Array.from({ length: ALIVE }, () => ended(new Worker('', { eval: true }))));
  }
  return (SPAWNS * 1000) / (performance.now() - start);
};

/** Messages per second from this thread to a worker that is there, until the last was received in its place. */
const sendRound = async (): Promise<number> => {
  const script = fileURLToPath(new URL('../peers/receiving-worker.ts', import.meta.url));
  const worker = new Worker(script, { workerData: MESSAGES });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await next(); // it listens
  const start = performance.now();
  for (let i = 1; i <= MESSAGES; i += 1) worker.postMessage(i);
  if ((await next()) !== MESSAGES) throw new Error('messages are missing');
  const took = performance.now() - start;
  await worker.terminate();
  return (MESSAGES * 1000) / took;
};

answer(process.argv[2] === 'spawn' ? spawnRound : sendRound);

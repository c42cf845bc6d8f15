import { parentPort, workerData } from 'node:worker_threads';

/** Takes numbers in order, and says when the last has come. */
const count = workerData as number;
let received = 0;
parentPort?.on('message', (value: number) => {
  received += 1;
  if (value !== received) throw new Error(`got ${value} instead of ${received}`);
  if (received === count) parentPort?.postMessage(received);
});
parentPort?.postMessage('ready');

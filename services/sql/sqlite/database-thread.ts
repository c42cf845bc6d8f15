import { Worker } from 'node:worker_threads';
import { type CallError, unavailable } from '../../../runtime/errors.ts';
import type { Executed, Rows } from '../driver.ts';
import { sqliteError } from './errors.ts';
import type { WorkerData, WorkerOpened, WorkerOperation, WorkerReply } from './protocol.ts';

/** The thread that has the database open. */
export interface DatabaseThread {
  /** Operations are done in the order in which they are asked for. @throws CallError. */
  perform(operation: WorkerOperation): Promise<Rows | Executed | undefined>;
  /** Lets what was asked for end, then closes the database. */
  close(): Promise<void>;
  /** Something was asked for that is not done yet. */
  readonly isBusy: boolean;
  /** Ends the thread as soon as the statement that runs has ended: nothing can interrupt SQLite. What was begun is rolled back. */
  terminate(): Promise<void>;
  /** Resolves when the thread is gone. */
  readonly exited: Promise<void>;
}

/** The source runs as it is; published it is compiled, and the names end otherwise. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** @throws CallError with SQLite's text when the file cannot be opened. `lost` is told when the thread ends by itself. */
export const openThread = async (data: WorkerData, lost: (error: CallError) => void): Promise<DatabaseThread> => {
  const worker = new Worker(entry, { workerData: data, env: {} });
  const pending = new Map<number, PromiseWithResolvers<Rows | Executed | undefined>>();
  const opened = Promise.withResolvers<void>();
  let lastId = 0;
  let end: CallError | undefined;
  let isClosing = false;

  const finish = (error: CallError): void => {
    if (end !== undefined) return;
    end = error;
    opened.reject(error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    if (!isClosing) lost(error);
  };
  worker.on('message', (message: WorkerReply | WorkerOpened) => {
    if ('opened' in message) {
      if (message.opened) opened.resolve();
      else opened.reject(sqliteError(message.failure));
      return;
    }
    const waiter = pending.get(message.id);
    pending.delete(message.id);
    if ('failure' in message) waiter?.reject(sqliteError(message.failure));
    else waiter?.resolve(message.result);
  });
  worker.on('error', (error) => finish(unavailable(`the database's thread has failed: ${error.message}`)));
  worker.on('exit', () => finish(unavailable('the database is closed')));
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  const perform: DatabaseThread['perform'] = (operation) => {
    if (end !== undefined) return Promise.reject(end);
    const waiter = Promise.withResolvers<Rows | Executed | undefined>();
    lastId += 1;
    pending.set(lastId, waiter);
    worker.postMessage({ ...operation, id: lastId });
    return waiter.promise;
  };
  const terminate = async (): Promise<void> => {
    isClosing = true;
    await worker.terminate();
  };
  try {
    await opened.promise;
  } catch (error) {
    await terminate();
    throw error;
  }
  return {
    perform,
    get isBusy() {
      return pending.size > 0;
    },
    exited,
    async close() {
      isClosing = true;
      if (end !== undefined) return;
      await perform({ kind: 'close' });
      await exited;
    },
    terminate,
  };
};

import { parentPort, workerData } from 'node:worker_threads';
import { CallError } from '../../../runtime/errors.ts';
import { type OpenDatabase, openDatabase } from './open-database.ts';
import type { WorkerData, WorkerFailure, WorkerNotice, WorkerOpened, WorkerReply, WorkerRequest } from './protocol.ts';

// The thread of one database: SQLite's calls block, and here they block nobody else.

const failureOf = (error: unknown): WorkerFailure => {
  if (error instanceof CallError) return { message: error.message, code: undefined, kind: error.kind };
  const { errcode } = error as { errcode?: unknown };
  return {
    message: error instanceof Error ? error.message : String(error),
    code: typeof errcode === 'number' ? errcode : undefined,
  };
};
const say = (message: WorkerReply | WorkerOpened | WorkerNotice): void => parentPort?.postMessage(message);

const open = (): OpenDatabase | undefined => {
  try {
    const database = openDatabase(workerData as WorkerData, (log, committed) => say({ log, committed }));
    say({ opened: true });
    return database;
  } catch (error) {
    say({ opened: false, failure: failureOf(error) });
    return undefined;
  }
};

const database = open();
if (database !== undefined) {
  parentPort?.on('message', (request: WorkerRequest) => {
    try {
      say({ id: request.id, result: database.perform(request) });
    } catch (error) {
      say({ id: request.id, failure: failureOf(error) });
    }
    if (request.kind === 'close') parentPort?.close();
  });
}

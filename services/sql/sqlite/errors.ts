import { CallError, internal, unavailable } from '../../../runtime/errors.ts';
import type { WorkerFailure } from './protocol.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/** SQLite's failure in our terms; the message is its own. `details.code` is the extended result code. */
export const sqliteError = ({ message, code }: WorkerFailure): CallError => {
  const details = code === undefined ? undefined : { code };
  switch ((code ?? 0) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new CallError(message, { kind: 'Timeout', retryable: true, details });
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
      return unavailable(message, { details });
    default:
      return internal(message, { details });
  }
};

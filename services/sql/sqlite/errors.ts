import { CallError, internal, unavailable } from '../../../runtime/errors.ts';
import type { WorkerFailure } from './protocol.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

const SQLITE_ERROR = 1;
const SQLITE_CONSTRAINT_TRIGGER = 1811;

/** These two quote the statement, or say what a trigger says; all other messages are fixed texts with names of the schema. */
const telemetryMessage = (code: number | undefined): string | undefined =>
  code !== undefined && ((code & 0xff) === SQLITE_ERROR || code === SQLITE_CONSTRAINT_TRIGGER)
    ? `sqlite: result code ${code}`
    : undefined;

/** SQLite's failure in our terms; the message is its own. `details.code` is the extended result code. */
export const sqliteError = ({ message, code, kind }: WorkerFailure): CallError => {
  if (kind !== undefined) return new CallError(message, { kind, retryable: false });
  const options = { details: code === undefined ? undefined : { code }, telemetryMessage: telemetryMessage(code) };
  switch ((code ?? 0) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new CallError(message, { kind: 'Timeout', retryable: true, ...options });
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
      return unavailable(message, options);
    default:
      return internal(message, options);
  }
};

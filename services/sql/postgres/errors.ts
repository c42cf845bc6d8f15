import { CallError, internal, messageOf, unavailable } from '../../../runtime/errors.ts';

/** SQLSTATEs of a lock or a statement that took too long. */
const TIMEOUTS = new Set(['55P03', '57014', '25P03', '25P04']);
/** Two transactions in each other's way: the same work may succeed when it is done again. */
const CONFLICTS = new Set(['40001', '40P01']);
/** A number of parameters that the statement does not have, a text with a NUL: class 08 for the server, but a statement's own fault. */
const PROTOCOL_VIOLATION = '08P01';
/** The server ends, has no place left, or refuses connections; class 08 is the connection itself. */
const AWAY = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '53400', '53100', '53200']);
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** What the server said, as a SQLSTATE; undefined where it was no error of the server. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof severity === 'string' && typeof code === 'string' && SQLSTATE.test(code) ? code : undefined;
};

/** The names that the server gives beside its message: all that telemetry may say of it. A message quotes values, in any language. */
const NAMES = ['constraint', 'column', 'table', 'dataType'] as const;
const telemetryMessage = (code: string, error: unknown): string => {
  const given = error as Partial<Record<(typeof NAMES)[number], unknown>>;
  const names = NAMES.flatMap((name) => (typeof given[name] === 'string' ? [`${name} ${given[name]}`] : []));
  return `postgres: SQLSTATE ${code}${names.length === 0 ? '' : ` (${names.join(', ')})`}`;
};

/** A failure of PostgreSQL in our terms; the message is the server's own. `details.code` is the SQLSTATE. */
export const postgresError = (error: unknown): CallError => {
  if (error instanceof CallError) return error;
  const code = sqlStateOf(error);
  const message = messageOf(error);
  // Not the server's words: the connection is lost, was refused or could not be made.
  if (code === undefined) return unavailable(message || connectMessage(error), { telemetryKind: 'connect' });
  const options = { details: { code }, telemetryMessage: telemetryMessage(code, error) };
  if (TIMEOUTS.has(code)) return new CallError(message, { kind: 'Timeout', retryable: true, ...options });
  if (CONFLICTS.has(code)) return new CallError(message, { kind: 'Conflict', retryable: true, ...options });
  const isAway = AWAY.has(code) || (code.startsWith('08') && code !== PROTOCOL_VIOLATION);
  if (isAway) return unavailable(message, { ...options, telemetryKind: 'connect' });
  return internal(message, options);
};

/** The same before there is a statement: the message quotes nothing of the app's. */
export const connectError = (error: unknown): CallError => postgresError(error).with({ telemetryMessage: undefined });

/** Node.js joins the failures of several addresses in an error without a text of its own. */
const connectMessage = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : String(error);

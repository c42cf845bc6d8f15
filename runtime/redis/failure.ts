import { type CallError, CallError as Failure, internal, messageOf, unavailable } from '../errors.ts';

/** Answers that say "not now": the server loads its data, is full, has lost its primary ... */
const NOT_NOW = /^(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED) /;

/**
 * What a command failed with: Unavailable, retryable, where Redis was not there or could not take it; Internal where it
 * has refused the command. `lastError` is what the connection broke with, which the command itself does not know.
 */
export const redisFailure = (error: unknown, lastError: string | undefined): CallError => {
  if (error instanceof Failure) return error;
  const text = messageOf(error);
  if (!isReply(error)) {
    return unavailable(`redis is not reachable: ${lastError ?? text}`, { cause: error, telemetryKind: 'connect' });
  }
  return NOT_NOW.test(text)
    ? unavailable(`redis: ${text}`, { cause: error })
    : internal(`redis: ${text}`, { cause: error });
};

const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

/** An answer that begins with this code: `NOGROUP`, `BUSYGROUP`, `NOSCRIPT`. */
export const hasCode = (error: unknown, code: string): boolean =>
  isReply(error) ? messageOf(error).startsWith(code) : error instanceof Failure && hasCode(error.cause, code);

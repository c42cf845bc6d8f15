import { type CallError, CallError as Failure, internal, messageOf, unavailable } from '../errors.ts';

/** Answers that say "not now": the server loads its data, is full, has lost its primary ... */
const NOT_NOW = /^(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED) /;

/** Of a command that the server does not know, or was made not to know: keys and values, which must not be seen (rule 75). */
const QUOTED_ARGUMENTS = /,? with args beginning with: .*$/s;

/**
 * What a command failed with: Unavailable, retryable, where Redis was not there or could not take it; Internal where it
 * has refused the command. `lastError` is what the connection broke with, which the command itself does not know.
 */
export const redisFailure = (error: unknown, lastError: string | undefined): CallError => {
  if (error instanceof Failure) return error;
  const message = messageOf(error);
  const text = message.replace(QUOTED_ARGUMENTS, '');
  // What quotes them does so in its stack too.
  const cause = text === message ? error : undefined;
  if (!isReply(error)) {
    return unavailable(`redis is not reachable: ${lastError ?? text}`, { cause: error, telemetryKind: 'connect' });
  }
  return NOT_NOW.test(text) ? unavailable(`redis: ${text}`, { cause }) : internal(`redis: ${text}`, { cause });
};

const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

/** An answer that begins with this code: `NOGROUP`, `BUSYGROUP`, `NOSCRIPT`. */
export const hasCode = (error: unknown, code: string): boolean =>
  isReply(error) ? messageOf(error).startsWith(code) : error instanceof Failure && hasCode(error.cause, code);

import { asCallError, CallError } from '../../runtime/errors.ts';

/** A database's own words, with the place where it was looked for before them. */
export const startFailure = (place: string, thrown: unknown, hint = ''): CallError => {
  const { kind, retryable, details, telemetryKind, message } = asCallError(thrown);
  return new CallError(`${place}: ${message}${hint}`, {
    kind,
    ...(retryable !== undefined && { retryable }),
    ...(details !== undefined && { details }),
    ...(telemetryKind !== undefined && { telemetryKind }),
    cause: thrown,
  });
};

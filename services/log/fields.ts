import { CallError, messageOf } from '../../runtime/errors.ts';
import type { LogFields } from '../../runtime/logger.ts';
import { renderFrames } from '../../runtime/lua/traceback.ts';
import { textOf } from '../../runtime/lua/values.ts';

/** Keys that a line has of its own, or that pino keeps for itself: a field of that name gets a `_` behind it. */
const RESERVED: ReadonlySet<string> = new Set([
  'level',
  'time',
  'msg',
  'subsystem',
  'trace_id',
  'span_id',
  'serializers',
  'formatters',
  'customLevels',
]);

/** Names that `preparedFields` may change, or whose meaning as a key of an object is not theirs alone. */
export const isSpecialName = (name: string): boolean =>
  RESERVED.has(name) || name === 'socket' || name in Object.prototype;

/** Fields as pino may have them: no reserved key, no function, errors as data. Undefined members are left out. */
export const preparedFields = (fields: LogFields): Record<string, unknown> => {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    const shown = prepared(value);
    if (shown !== undefined) out[RESERVED.has(key) ? `${key}_` : key] = shown;
  }
  if ('method' in out && 'headers' in out && 'socket' in out) {
    // pino takes an object with these three for a request of node:http and keeps little of it.
    out.socket_ = out.socket;
    delete out.socket;
  }
  return out;
};

const prepared = (value: unknown): unknown => {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorFields(value);
  return value instanceof Uint8Array ? textOf(value) : value;
};

/** An error as data: the kind and the Lua traceback of a CallError, type and stack of any other. */
export const errorFields = (error: Error): Record<string, unknown> => {
  const cause = error.cause === undefined ? undefined : messageOf(error.cause);
  if (!(error instanceof CallError)) return { type: error.name, message: error.message, stack: error.stack, cause };
  return {
    kind: error.kind || 'Internal',
    message: error.message,
    retryable: error.retryable,
    contexts: error.contexts.length > 0 ? error.contexts : undefined,
    traceback:
      error.frames.length > 0
        ? renderFrames(error.frames)
            .split('\n')
            .map((line) => line.trim())
        : undefined,
    cause: cause === error.message ? undefined : cause,
  };
};

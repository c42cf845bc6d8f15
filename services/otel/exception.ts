import { asCallError, CallError, type LuaFrame, telemetryMessageOf } from '../../runtime/errors.ts';
import type { Attributes } from '../../runtime/trace.ts';

/** How far a chain of causes is followed: deep enough for wrapped errors, and an end for cycles. */
const MAX_CAUSES = 16;

const renderFrame = (frame: LuaFrame): string => {
  const place = frame.line === undefined ? frame.source : `${frame.source}:${frame.line}`;
  if (frame.name !== undefined && frame.name !== '') return `\t${place}: in function '${frame.name}'`;
  return frame.type === 'main' ? `\t${place}: in main chunk` : `\t${place}: in function`;
};

/** The text that Lua's `debug.traceback` would give for these frames. */
const renderTraceback = (message: string, frames: readonly LuaFrame[]): string =>
  [message, 'stack traceback:', ...frames.map(renderFrame)].join('\n');

/** The error itself, then what caused it. */
const causes = function* (error: unknown): Generator<object> {
  for (let i = 0, at = error; i < MAX_CAUSES && typeof at === 'object' && at !== null; i++) {
    yield at;
    at = (at as { cause?: unknown }).cause;
  }
};

/** A host error behind a CallError tells where in JavaScript it happened; a CallError's own stack would not. */
const hostStack = (error: unknown): string | undefined => {
  for (const one of causes(error)) if (one instanceof Error && !(one instanceof CallError)) return one.stack;
  return undefined;
};

const exceptionType = (error: unknown): string => {
  if (error instanceof CallError) return error.kind || 'Internal';
  return error instanceof Error ? error.name : 'Internal';
};

/** Attributes of the span event `exception` (semantic conventions, exceptions), with the Lua traceback where there is one. */
export const exceptionAttributes = (error: unknown): Attributes => {
  const { frames } = asCallError(error);
  const message = telemetryMessageOf(error);
  const innermost = frames.find((frame) => frame.type !== 'host' && frame.line !== undefined);
  return {
    'exception.type': exceptionType(error),
    'exception.message': message,
    'exception.stacktrace': frames.length > 0 ? renderTraceback(message, frames) : hostStack(error),
    'code.file.path': innermost?.source,
    'code.line.number': innermost?.line,
  };
};

/** Says whether an error, or what caused it, was seen before in this trace; and remembers it. */
export type ExceptionMemory = (error: unknown, traceId: string) => boolean;

/**
 * An error rises through several spans and is recorded on the innermost only. It is remembered per trace, because a program
 * may throw one error object for many calls.
 */
export const exceptionMemory = (): ExceptionMemory => {
  const traceOf = new WeakMap<object, string>();
  return (error, traceId) => {
    let wasSeen = false;
    for (const one of causes(error)) {
      wasSeen ||= traceOf.get(one) === traceId;
      traceOf.set(one, traceId);
    }
    return wasSeen;
  };
};

import type { CallContext } from '../../runtime/context.ts';
import { invalid, permissionDenied } from '../../runtime/errors.ts';
import { numberArgument, textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaThread } from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';

/** Whether policies let a call do `action` on `resource` (lua/common.md, section 10). */
export type Allows = (context: CallContext, action: string, resource: string) => boolean;

/** @throws CallError PermissionDenied */
export type Permit = (thread: LuaThread, action: string, resource: string) => void;

export const permitBy =
  (allows: Allows): Permit =>
  (thread, action, resource) => {
    if (!allows(thread.context, action, resource))
      throw permissionDenied(`permission denied: ${action} on ${resource}`);
  };

/** A function of the module: `value, nil`, or `nil, err` for what `body` throws. */
export const returning =
  (body: (args: readonly LuaValue[], thread: LuaThread) => HostValue): HostFunction =>
  (thread, args) =>
    resultsOf(
      () => body(args, thread),
      (value) => [value, undefined],
    );

/** The same, for callers that may do `action` on `resource`. */
export const permitted = (
  permit: Permit,
  action: string,
  resource: string,
  body: (args: readonly LuaValue[]) => HostValue,
): HostFunction =>
  returning((args, thread) => {
    permit(thread, action, resource);
    return body(args);
  });

/** The first argument as a number. @throws CallError Invalid where there is none; LuaRaise for other types. */
export const numberOf = (args: readonly LuaValue[], name: string, what: string): number => {
  if (args[0] === undefined) throw invalid(`${what} is required`);
  const value = numberArgument(args, 1, name);
  if (Number.isNaN(value)) throw invalid(`${what} must be a number`);
  return value;
};

/** The first argument as a name. @throws CallError Invalid where there is none or an empty one; LuaRaise for other types. */
export const nameOf = (args: readonly LuaValue[], name: string, what: string): string => {
  const text = args[0] === undefined ? '' : textArgument(args, 1, name);
  if (text === '') throw invalid(`${what} is required`);
  return text;
};

/** Milliseconds since the epoch as a whole number of nanoseconds; above 2^53, so rounded to some hundreds. */
export const nanoseconds = (ms: number): number => Math.round(ms * 1e6);

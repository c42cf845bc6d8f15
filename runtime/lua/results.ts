import { isPromise } from '../call.ts';
import { asCallError } from '../errors.ts';
import { type HostResults, LuaRaise } from './engine.ts';
import type { HostValue } from './values.ts';

/** `nil, err`. What raises in Lua (a LuaRaise) is thrown on. */
export const failed = (error: unknown): readonly HostValue[] => {
  if (error instanceof LuaRaise) throw error;
  return [undefined, asCallError(error)];
};

/**
 * The results of a host operation as lua/common.md, section 5 wants them: `value, nil`, or `nil, err` for whatever was
 * thrown. Synchronous when the operation is.
 */
export const resultsOf = <T>(
  operation: () => T | Promise<T>,
  results: (value: T) => readonly HostValue[],
): HostResults | Promise<HostResults> => {
  try {
    const out = operation();
    return isPromise(out) ? out.then(results).catch(failed) : results(out);
  } catch (error) {
    return failed(error);
  }
};

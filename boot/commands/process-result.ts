import { CallError } from '../../runtime/errors.ts';
import { exitCodeOf } from '../../runtime/exit-code.ts';
import type { ProcessExit } from '../../services/process/port.ts';

/** What a command's end means to the shell (processes-declarations.md, section 7). */
export interface ProcessResult {
  readonly code: number;
  /** For standard error. */
  readonly message?: string;
}

export const processResult = ({ value, error }: ProcessExit): ProcessResult => {
  if (error !== undefined) return { code: 1, message: error.message };
  if (typeof value === 'number') return { code: exitCodeOf(value) };
  if (value === false) return { code: 1 };
  // `return err` with nothing before it: nobody means success by that.
  return value instanceof CallError ? { code: 1, message: value.message } : { code: 0 };
};

import { canceled } from '../../runtime/errors.ts';
import type { Program } from '../program.ts';

/** An exit that the app asks for (`system.exit`) while a command of its own runs. */
export interface Exit {
  /** The code that was asked for; undefined: none was. */
  readonly code: number | undefined;
  /** Aborts when the work that runs by then has had `graceMs` to end. */
  readonly signal: AbortSignal;
  close(): void;
}

export const exitOf = (program: Program, graceMs: number): Exit => {
  const late = new AbortController();
  let code: number | undefined;
  let isClosed = false;
  let cancel = (): void => {};
  void program.exitRequested.then((asked) => {
    if (isClosed) return;
    code = asked;
    cancel = program.clock.after(graceMs, () => late.abort(canceled('the program stops')));
  });
  return {
    get code() {
      return code;
    },
    signal: late.signal,
    close() {
      isClosed = true;
      cancel();
    },
  };
};

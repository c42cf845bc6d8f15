import { messageOf } from '../../runtime/errors.ts';
import { PROCESSES } from '../../services/process/port.ts';
import type { Program } from '../program.ts';
import { holdOpen } from './hold-open.ts';
import type { Terminal } from './terminal.ts';

/** What a process that cannot hear of the end gets to finish by after `system.exit` (ms). */
const UNHEARD_MS = 1000;

/** What asks a command to end before it ends by itself: signals, `system.exit`, an error that nobody caught. */
export interface Ending {
  /** A code that beats the process's own. */
  readonly code: number | undefined;
  /** The process was ended because the app wanted it so: that is no failure to tell of. */
  readonly isSilent: boolean;
  readonly isAsked: boolean;
  /** Resolves when the end is asked for the first time. */
  readonly asked: Promise<void>;
  /** Who is asked to end; undefined where nobody runs. */
  pid: string | undefined;
  close(): void;
}

export interface EndingOptions {
  /** What a process has to end by itself. */
  readonly stopMs: number;
  /** Errors that the process knows of: they end nothing. */
  readonly told: WeakSet<Error>;
}

/** The process is told with CANCEL, and is ended when it takes too long. The second signal ends the program at once. */
export const endingOf = (program: Program, terminal: Terminal, { stopMs, told }: EndingOptions): Ending => {
  const asked = Promise.withResolvers<void>();
  let isAsked = false;
  let code: number | undefined;
  let isSilent = false;
  let isClosed = false;
  let cancelTimer = (): void => {};
  const ask = (reason: string, graceMs: (pid: string) => number, onLate?: () => void): void => {
    isAsked = true;
    asked.resolve();
    const { pid } = ending;
    if (pid === undefined) return;
    const processes = program.use(PROCESSES);
    processes.cancel(pid, reason);
    cancelTimer();
    cancelTimer = program.clock.after(graceMs(pid), () => {
      if (ending.pid !== pid) return;
      onLate?.();
      processes.terminate(pid);
    });
  };

  let signals = 0;
  const offSignal = terminal.onSignal((name) => {
    signals += 1;
    if (signals > 1) return terminal.exit(1);
    program.logger.info('stopping', { signal: name });
    ask(name, () => stopMs);
  });
  const offUncaught = terminal.onUncaught((error) => {
    if (error instanceof Error && told.has(error)) return;
    terminal.err.write(`perilune: ${(error as Error)?.stack ?? messageOf(error)}\n`);
    code = 1;
    ask('internal error', () => stopMs);
  });
  void program.exitRequested.then((wanted) => {
    if (isClosed) return;
    program.logger.info('stopping', { exit_code: wanted });
    code ??= wanted;
    // As a result of main it would end the process: one that does not listen for the end is not waited for.
    const graceMs = (pid: string): number =>
      program.use(PROCESSES).hasEvents(pid) ? stopMs : Math.min(stopMs, UNHEARD_MS);
    ask('system.exit', graceMs, () => {
      isSilent = true;
    });
  });
  const letGo = holdOpen(program.clock);
  const ending: Ending = {
    get code() {
      return code;
    },
    get isSilent() {
      return isSilent;
    },
    get isAsked() {
      return isAsked;
    },
    asked: asked.promise,
    pid: undefined,
    close() {
      isClosed = true;
      cancelTimer();
      letGo();
      offSignal();
      offUncaught();
    },
  };
  return ending;
};

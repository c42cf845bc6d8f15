/** Lets the process end while a thread is in the middle of a statement. */
export interface ExitGuard {
  /** Until the returned function is called. */
  watch(isBusy: () => boolean): () => void;
}

/**
 * A process that exits waits for its threads, and nothing can interrupt SQLite: a statement that takes for ever would keep the
 * program for ever, whatever its shutdown's limit. One guard has one listener, however many databases there are.
 */
export const createExitGuard = (end: (code: number) => void = endNow): ExitGuard => {
  const watched = new Set<() => boolean>();
  const onExit = (code: number): void => {
    if ([...watched].some((isBusy) => isBusy())) end(code);
  };
  return {
    watch(isBusy) {
      if (watched.size === 0) process.on('exit', onExit);
      watched.add(isBusy);
      return () => {
        watched.delete(isBusy);
        if (watched.size === 0) process.off('exit', onExit);
      };
    },
  };
};

/** With this exit code, and without waiting for any thread: the process becomes another one, which ends at once. */
const endNow = (code: number): void => {
  // Where there is no such thing (Windows) the exit code is lost, and the end is not.
  if (process.platform === 'win32' || process.execve === undefined) process.kill(process.pid, 'SIGKILL');
  else process.execve(process.execPath, [process.execPath, '-e', `process.exit(${code})`], {});
};

import type { Declared } from '../../runtime/entry.ts';
import { StartError } from '../../runtime/errors.ts';
import { SUPERVISOR } from '../../runtime/supervision.ts';
import type { TerminalHostConfig } from '../../services/process/kinds.ts';
import type { App } from '../app.ts';
import { UsageError } from '../arguments.ts';
import type { Program } from '../program.ts';

/** How long a terminal host that has not started yet is waited for. */
const HOST_MS = 5000;
const POLL_MS = 20;

/** The terminal host that is named, or the only one. @throws UsageError */
export const terminalHost = ({ registry }: App, named: string | undefined): Declared<TerminalHostConfig> => {
  const hosts = registry.declared<TerminalHostConfig>('terminal.host');
  const ids = hosts.map(({ id }) => id).join(', ');
  const [first, second] = hosts;
  if (first === undefined) {
    throw new UsageError(
      'no terminal.host found. Commands run on one: add { name: terminal, kind: terminal.host, lifecycle: { auto_start: true } }.',
    );
  }
  if (named !== undefined) {
    const host = hosts.find(({ id }) => id === named);
    if (host !== undefined) return host;
    throw new UsageError(`--host: ${named} is no terminal.host. There is: ${ids}.`);
  }
  if (second !== undefined) throw new UsageError(`several terminal.host entries: ${ids}. Choose one with --host <id>.`);
  return first;
};

/** @throws StartError when the host does not run and nothing is going to start it, or it takes too long. */
export const hostRuns = async (program: Program, host: string): Promise<void> => {
  const supervisor = program.use(SUPERVISOR);
  const due = program.clock.now() + HOST_MS;
  for (let left = HOST_MS; left > 0; left = due - program.clock.now()) {
    const state = supervisor.state(host);
    if (state?.status === 'running') return;
    if (state?.desired !== 'running') {
      throw new StartError(
        `the terminal host ${host} is not running: nothing starts it. Set lifecycle.auto_start: true.`,
      );
    }
    await new Promise<void>((resolve) => program.clock.after(POLL_MS, resolve));
  }
  const why = supervisor.state(host)?.details ?? '';
  throw new StartError(
    `the terminal host ${host} is not running: it did not start within ${HOST_MS / 1000}s${why === '' ? '' : `: ${why}`}`,
  );
};

import type { Writable } from 'node:stream';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import { messageOf, StartError } from '../../runtime/errors.ts';
import { SUPERVISOR } from '../../runtime/supervision.ts';
import type { LogDestination } from '../../services/log/sinks.ts';
import type { TerminalHostConfig } from '../../services/process/kinds.ts';
import { PROCESSES, type ProcessExit } from '../../services/process/port.ts';
import { TERMINAL, type TerminalSession } from '../../services/terminal/port.ts';
import { terminalSession } from '../../services/terminal/session.ts';
import type { App } from '../app.ts';
import type { CommandLine } from '../arguments.ts';
import { createProgram, type Program } from '../program.ts';
import { packageVersion } from '../version.ts';
import { checkProcess, processOfCommand, terminalHost } from './app-commands.ts';
import { holdOpen } from './hold-open.ts';
import { processResult } from './process-result.ts';
import type { Terminal } from './terminal.ts';

/** How long a terminal host that has not started yet is waited for. */
const HOST_MS = 5000;
const POLL_MS = 20;

/** A process by the name of its command, or by its id. */
export type Wanted = { readonly args: readonly string[] } & ({ readonly name: string } | { readonly id: string });

interface Work {
  readonly id: string;
  readonly host: string;
  readonly hostConfig: TerminalHostConfig;
  readonly session: TerminalSession;
  readonly logs: Gate;
}

/** Boots the app, runs one process on the terminal and ends with its code (processes-declarations.md, section 7). */
export const runProcess = async (app: App, line: CommandLine, wanted: Wanted, terminal: Terminal): Promise<number> => {
  const id = 'id' in wanted ? wanted.id : processOfCommand(app, wanted.name);
  checkProcess(app, id);
  const host = terminalHost(app, line.host);
  const logs = gate(terminal.err);
  const program = createProgram({
    app,
    build: { version: packageVersion(), revision: terminal.variables.PERILUNE_REVISION ?? '', command: 'run' },
    variables: terminal.variables,
    logTo: [logs],
    isTerminal: terminal.isTerminal,
    // The terminal is the process's own: a log is written where somebody asks for it.
    log: line.log === 'default' ? 'silent' : line.log,
  });
  const session = terminalSession({
    args: wanted.args,
    input: terminal.input,
    out: terminal.out,
    err: terminal.err,
  });
  const hostConfig = app.registry.declared<TerminalHostConfig>('terminal.host').find((one) => one.id === host)?.config;
  if (hostConfig === undefined) throw new Error(`${host} has no configuration`); // terminalHost has found it
  return supervise(program, { id, host, hostConfig, session, logs }, terminal);
};

/** From the boot to the code: signals and `system.exit` ask the process to end, and give it its host's `stop_timeout`. */
const supervise = async (program: Program, work: Work, terminal: Terminal): Promise<number> => {
  const ended = Promise.withResolvers<ProcessExit>();
  const aborted = Promise.withResolvers<'aborted'>();
  /** A code that beats the process's own. */
  let code: number | undefined;
  let pid: string | undefined;
  let cancelTimer = (): void => {};
  const askToEnd = (reason: string): void => {
    aborted.resolve('aborted');
    if (pid === undefined) return;
    const asked = pid;
    const processes = program.use(PROCESSES);
    processes.cancel(asked, reason);
    cancelTimer();
    cancelTimer = program.clock.after(work.hostConfig.lifecycle.stop_timeout, () => processes.terminate(asked));
  };
  let signals = 0;
  const offSignal = terminal.onSignal((name) => {
    signals += 1;
    if (signals > 1) return terminal.exit(1);
    program.logger.info('stopping', { signal: name });
    askToEnd(name);
  });
  const offUncaught = terminal.onUncaught((error) => {
    if (error instanceof Error && work.session.told.has(error)) return;
    terminal.err.write(`perilune: ${(error as Error)?.stack ?? messageOf(error)}\n`);
    code = 1;
    askToEnd('internal error');
  });
  void program.exitRequested.then((asked) => {
    code ??= asked;
    askToEnd('system.exit');
  });
  const letGo = holdOpen(program.clock);
  try {
    const booted = program.start().then(() => hostRuns(program, work.host));
    // What is asked for during the start keeps the process from starting at all.
    if ((await Promise.race([booted, aborted.promise])) === 'aborted') return code ?? 1;
    work.logs.isOpen = !work.hostConfig.hide_logs;
    pid = spawnOn(program, work, ended.resolve);
    const result = processResult(await ended.promise);
    pid = undefined;
    work.session.input.close();
    work.logs.isOpen = true;
    if (result.message !== undefined) terminal.err.write(`${result.message}\n`);
    return code ?? result.code;
  } finally {
    cancelTimer();
    work.session.input.close();
    await program.stop();
    letGo();
    offSignal();
    offUncaught();
  }
};

/** The new process's id. @throws StartError */
const spawnOn = (program: Program, { id, host, session }: Work, onExit: (exit: ProcessExit) => void): string => {
  try {
    const own = (context: CallContext): CallContext => context.with(TERMINAL, session);
    return program.use(PROCESSES).spawn({ id, host, args: session.args, context: rootContext, own, onExit });
  } catch (error) {
    throw new StartError(messageOf(error), error);
  }
};

/** @throws StartError when the host does not run and nothing is going to start it, or it takes too long. */
const hostRuns = async (program: Program, host: string): Promise<void> => {
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

/** Lets log lines through, or not (`hide_logs`). */
interface Gate extends LogDestination {
  isOpen: boolean;
}

const gate = (stream: Writable): Gate => ({
  isOpen: true,
  write(text, done) {
    if (this.isOpen) return stream.write(text, done);
    done?.();
    return true;
  },
  on: (event, listener) => stream.on(event, listener),
  get writableLength() {
    return stream.writableLength;
  },
  get errored() {
    return stream.errored;
  },
});

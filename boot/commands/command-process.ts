import { type CallContext, rootContext } from '../../runtime/context.ts';
import { messageOf, StartError } from '../../runtime/errors.ts';
import type { TerminalHostConfig } from '../../services/process/kinds.ts';
import { PROCESSES, type ProcessExit } from '../../services/process/port.ts';
import { TERMINAL, type TerminalSession } from '../../services/terminal/port.ts';
import { terminalSession } from '../../services/terminal/session.ts';
import type { App } from '../app.ts';
import type { CommandLine } from '../arguments.ts';
import { createProgram, type Program } from '../program.ts';
import { packageVersion } from '../version.ts';
import { checkProcess, processOfCommand } from './app-commands.ts';
import { endingOf } from './command-ending.ts';
import { type LogGate, logGate } from './log-gate.ts';
import { processResult } from './process-result.ts';
import type { Terminal } from './terminal.ts';
import { hostRuns, terminalHost } from './terminal-host.ts';

/** A process by the name of its command, or by its id. */
export type Wanted = { readonly args: readonly string[] } & ({ readonly name: string } | { readonly id: string });

interface Work {
  readonly id: string;
  readonly host: string;
  readonly hostConfig: TerminalHostConfig;
  readonly session: TerminalSession;
  readonly logs: LogGate;
}

/** Boots the app, runs one process on the terminal and ends with its code (processes-declarations.md, section 7). */
export const runProcess = async (app: App, line: CommandLine, wanted: Wanted, terminal: Terminal): Promise<number> => {
  const id = 'id' in wanted ? wanted.id : processOfCommand(app, wanted.name);
  checkProcess(app, id);
  const host = terminalHost(app, line.host);
  const logs = logGate(terminal.logs);
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
  return supervise(program, { id, host: host.id, hostConfig: host.config, session, logs }, terminal);
};

/** From the boot to the code. */
const supervise = async (program: Program, work: Work, terminal: Terminal): Promise<number> => {
  const ending = endingOf(program, terminal, {
    stopMs: work.hostConfig.lifecycle.stop_timeout,
    told: work.session.told,
  });
  try {
    const booted = program.start().then(() => hostRuns(program, work.host));
    // What asks for the end during the start keeps the process from starting at all.
    await Promise.race([booted, ending.asked]);
    if (ending.isAsked) return ending.code ?? 1;
    work.logs.isOpen = !work.hostConfig.hide_logs;
    const ended = Promise.withResolvers<ProcessExit>();
    ending.pid = spawnOn(program, work, ended.resolve);
    const { code, message } = processResult(await ended.promise);
    ending.pid = undefined;
    work.session.input.close();
    work.logs.isOpen = true;
    if (message !== undefined && !ending.isSilent) terminal.err.write(`${message}\n`);
    return ending.code ?? code;
  } finally {
    work.session.input.close();
    await program.stop();
    ending.close();
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

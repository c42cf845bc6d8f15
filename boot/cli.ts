import { DeclarationError, messageOf, renderProblem, StartError } from '../runtime/errors.ts';
import { type CommandLine, HELP, parseCommandLine, UsageError } from './arguments.ts';
import { invokeCommand } from './commands/invoke.ts';
import { queueCommand } from './commands/queue.ts';
import { runCommand } from './commands/run.ts';
import { processTerminal, type Terminal } from './commands/terminal.ts';
import { testCommand } from './commands/test.ts';
import { validateCommand } from './commands/validate.ts';
import { printVersions } from './commands/versions.ts';

const COMMANDS: Readonly<
  Record<CommandLine['command'], (line: CommandLine, terminal: Terminal) => number | Promise<number>>
> = {
  run: runCommand,
  validate: validateCommand,
  invoke: invokeCommand,
  queue: queueCommand,
  test: testCommand,
  version: (_line, terminal) => printVersions(terminal),
  help(_line, { out }) {
    out.write(HELP);
    return 0;
  },
};

/** Runs one command; its exit code (extensions.md, section 9): 0 done, 1 a failed start or run, 2 the user's words or files. */
export const main = async (argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> => {
  try {
    const line = parseCommandLine(argv);
    return await COMMANDS[line.command](line, terminal);
  } catch (error) {
    if (error instanceof DeclarationError) {
      for (const problem of error.problems) terminal.err.write(`${renderProblem(problem)}\n`);
      return 2;
    }
    if (error instanceof UsageError) {
      terminal.err.write(`perilune: ${error.message}\n`);
      return 2;
    }
    const text = error instanceof StartError ? error.message : ((error as Error)?.stack ?? messageOf(error));
    terminal.err.write(`perilune: ${text}\n`);
    return 1;
  }
};

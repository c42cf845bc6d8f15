import { resolve } from 'node:path';
import { FUNCTIONS } from '../../services/function/port.ts';
import { runAppTests } from '../app-tests.ts';
import { type CommandLine, UsageError } from '../arguments.ts';
import { createProgram } from '../program.ts';
import { packageVersion } from '../version.ts';
import { exitOf } from './exit.ts';
import { loadCheckedApp } from './load.ts';
import type { Terminal } from './terminal.ts';

/** `test <dir>`: boots the app with its services, then runs its test functions; 1 when one of them failed. */
export const testCommand = async (line: CommandLine, terminal: Terminal): Promise<number> => {
  const [dir, ...rest] = line.positionals;
  if (dir === undefined || rest.length > 0) throw new UsageError('test takes one folder: perilune test <dir>.');
  const app = loadCheckedApp(line, resolve(dir), terminal);
  const program = createProgram({
    app,
    build: { version: packageVersion(), revision: terminal.variables.PERILUNE_REVISION ?? '', command: 'test' },
    variables: terminal.variables,
    logTo: [terminal.logs],
    isTerminal: terminal.isTerminal,
    log: line.log,
    hasOperationsPort: false,
  });
  const exit = exitOf(program, app.loaded.config.shutdown.timeout);
  try {
    await program.start();
    const failed = await runAppTests({
      entries: app.registry.all(),
      functions: program.use(FUNCTIONS),
      clock: program.clock,
      out: terminal.out,
      filter: line.filter,
      reporter: line.reporter,
      isEnding: () => exit.code !== undefined,
    });
    return exit.code ?? (failed > 0 ? 1 : 0);
  } finally {
    exit.close();
    await program.stop();
  }
};

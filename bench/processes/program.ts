import { fileURLToPath } from 'node:url';
import { loadApp } from '../../boot/app.ts';
import { standardErrorLog } from '../../boot/commands/terminal.ts';
import { refuseErrors } from '../../boot/declarations/validate.ts';
import { createProgram, type Program } from '../../boot/program.ts';
import { BATCH_VARIABLES, type Mode, settingsOf } from '../settings.ts';

/** An app of bench/apps as the command line would run it, in this process; it writes its lines to stderr. */
export const startProgram = async (
  app: string,
  mode: Mode,
  endpoint: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Program> => {
  const variables = { ...BATCH_VARIABLES, ...more };
  const dir = fileURLToPath(new URL(`../apps/${app}`, import.meta.url));
  const loaded = loadApp({ dir, configFiles: [], sets: settingsOf(mode, endpoint), overrides: [], variables });
  refuseErrors(loaded.problems);
  const build = { version: '0.0.0', revision: '', command: 'run' } as const;
  const program = createProgram({ app: loaded, build, variables, logTo: [standardErrorLog()], isTerminal: false });
  await program.start();
  return program;
};

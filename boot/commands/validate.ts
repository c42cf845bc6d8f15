import { resolve } from 'node:path';
import type { CommandLine } from '../arguments.ts';
import { UsageError } from '../arguments.ts';
import { explainApp } from '../explain-app.ts';
import { loadAnyApp, printProblems } from './load.ts';
import type { Terminal } from './terminal.ts';

/** `validate <dir> [--explain]`: `ok: N entries in M files`, or everything that is wrong on stderr and exit code 2. */
export const validateCommand = (line: CommandLine, terminal: Terminal): number => {
  const [dir, ...rest] = line.positionals;
  if (dir === undefined || rest.length > 0) throw new UsageError('validate takes one folder: perilune validate <dir>.');
  const app = loadAnyApp(line, resolve(dir), terminal);
  printProblems(app.problems, terminal);
  for (const warning of app.otel.warnings) terminal.err.write(`${warning} (warning)\n`);
  if (app.problems.some((problem) => problem.severity === 'error')) return 2;
  if (line.explain) for (const row of explainApp(app)) terminal.out.write(`${row}\n`);
  terminal.out.write(`ok: ${app.entryCount} entries in ${app.fileCount} files\n`);
  return 0;
};

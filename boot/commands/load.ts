import { existsSync, statSync } from 'node:fs';
import { type Problem, renderProblem } from '../../runtime/errors.ts';
import { type App, loadApp } from '../app.ts';
import { type CommandLine, UsageError } from '../arguments.ts';
import { refuseErrors } from '../declarations/validate.ts';
import type { Terminal } from './terminal.ts';

/** Reads and checks an app. @throws UsageError for a folder that is none, DeclarationError with everything that is wrong. */
export const loadCheckedApp = (line: CommandLine, dir: string, terminal: Terminal): App => {
  const app = loadAnyApp(line, dir, terminal);
  const warnings = app.problems.filter((problem) => problem.severity === 'warning');
  // A program that starts logs them itself, so that every line of its log is one (telemetry.md, section 6).
  if (warnings.length < app.problems.length) printProblems(warnings, terminal);
  refuseErrors(app.problems);
  return app;
};

/** The same without a verdict: for `validate`, which has words of its own. */
export const loadAnyApp = (line: CommandLine, dir: string, terminal: Terminal): App => {
  if (!existsSync(dir)) throw new UsageError(`${dir}: no such folder. Name the folder that holds the app.`);
  if (!statSync(dir).isDirectory()) throw new UsageError(`${dir}: not a folder. Name the folder that holds the app.`);
  return loadApp({
    dir,
    configFiles: line.configFiles,
    sets: line.sets,
    overrides: line.overrides,
    variables: terminal.variables,
  });
};

export const printProblems = (problems: readonly Problem[], { err }: Terminal): void => {
  for (const problem of problems) {
    err.write(`${renderProblem(problem)}${problem.severity === 'warning' ? ' (warning)' : ''}\n`);
  }
};

import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CommandLine, UsageError } from '../arguments.ts';
import { listCommands } from './app-commands.ts';
import { runProcess } from './command-process.ts';
import { loadCheckedApp } from './load.ts';
import { serve } from './serve.ts';
import type { Terminal } from './terminal.ts';

/** `run [<dir>=.] [<command> | list | -x <id>] [args]`: serves the app, lists its commands, or runs one. */
export const runCommand = async (line: CommandLine, terminal: Terminal): Promise<number> => {
  const { dir, rest } = folderAndRest(line);
  const app = loadCheckedApp(line, dir, terminal);
  if (line.execute !== undefined) return runProcess(app, line, { id: line.execute, args: rest }, terminal);
  const [name, ...args] = rest;
  if (name === undefined) return serve(app, line, terminal);
  if (name === 'list') return listCommands(app, terminal);
  return runProcess(app, line, { name, args }, terminal);
};

/** The first argument is the folder if it is one. */
const folderAndRest = ({ positionals, execute }: CommandLine): { dir: string; rest: readonly string[] } => {
  const [first, ...rest] = positionals;
  if (first === undefined) return { dir: resolve('.'), rest };
  if (existsSync(first) && statSync(first).isDirectory()) return { dir: resolve(first), rest };
  // Behind -x a path may be the process's own argument; otherwise it is a mistyped folder, as no command is named so.
  if (execute === undefined && /[/\\]|^\.\.?$/.test(first)) {
    throw new UsageError(`${first}: no such folder. Name the folder that holds the app.`);
  }
  return { dir: resolve('.'), rest: positionals };
};

import { commandsOf } from '../../services/process/commands.ts';
import type { App } from '../app.ts';
import { UsageError } from '../arguments.ts';
import type { Terminal } from './terminal.ts';

/** `run list`: a command a line, its name and what it does. */
export const listCommands = ({ registry }: App, terminal: Terminal): number => {
  const commands = commandsOf(registry);
  const width = Math.max(0, ...commands.map(({ name }) => name.length));
  for (const { name, short } of commands) terminal.out.write(`${`${name.padEnd(width)}  ${short}`.trimEnd()}\n`);
  if (commands.length === 0) {
    terminal.err.write('no commands. A process.lua entry becomes one with meta.command: { name: ..., short: ... }\n');
  }
  return 0;
};

const HINT = '`perilune run list` shows what there is.';

/** Id of the process behind a command's name. @throws UsageError */
export const processOfCommand = ({ registry }: App, name: string): string => {
  const command = commandsOf(registry).find((one) => one.name === name);
  if (command === undefined) throw new UsageError(`command "${name}" not found. ${HINT}`);
  return command.id;
};

/** Checks the id behind `-x`. @throws UsageError */
export const checkProcess = ({ registry }: App, id: string): void => {
  if (registry.declared('process.lua').some((one) => one.id === id)) return;
  const kind = registry.get(id)?.kind;
  const why = kind === undefined ? 'There is no such entry' : `It is a ${kind}, and only a process.lua can be run`;
  throw new UsageError(`command "${id}" not found. ${why}; ${HINT}`);
};

import type { Declared } from '../../runtime/entry.ts';
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
  if (isDeclared(registry.declared('process.lua'), id)) return;
  const kind = registry.get(id)?.kind;
  const why = kind === undefined ? 'There is no such entry' : `It is a ${kind}, and only a process.lua can be run`;
  throw new UsageError(`command "${id}" not found. ${why}; ${HINT}`);
};

/** The terminal host that is named, or the only one. @throws UsageError */
export const terminalHost = ({ registry }: App, named: string | undefined): string => {
  const hosts = registry.declared('terminal.host');
  const ids = hosts.map(({ id }) => id).join(', ');
  const [first, second] = hosts;
  if (first === undefined) {
    throw new UsageError(
      'no terminal.host found. Commands run on one: add { name: terminal, kind: terminal.host, lifecycle: { auto_start: true } }.',
    );
  }
  if (named !== undefined) {
    if (isDeclared(hosts, named)) return named;
    throw new UsageError(`--host: ${named} is no terminal.host. There is: ${ids}.`);
  }
  if (second !== undefined) throw new UsageError(`several terminal.host entries: ${ids}. Choose one with --host <id>.`);
  return first.id;
};

const isDeclared = (declared: readonly Declared[], id: string): boolean => declared.some((one) => one.id === id);

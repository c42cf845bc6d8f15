import type { EntryRegistry } from '../../runtime/entry.ts';
import type { SurfaceProblem } from '../../runtime/surface.ts';
import type { ProcessConfig } from './kinds.ts';

/** A process that the command line can run by a name (processes-declarations.md, section 7). */
export interface Command {
  readonly id: string;
  readonly name: string;
  /** What it does, in a few words. */
  readonly short: string;
}

/** All of them, by id; two may have the same name. */
const allCommands = (registry: EntryRegistry): readonly Command[] =>
  registry.declared<ProcessConfig>('process.lua').flatMap(({ id, config }) => {
    const { command } = config.meta;
    return command === undefined ? [] : [{ id, name: command.name, short: command.short }];
  });

/** By name; of two with one name the first by id. */
export const commandsOf = (registry: EntryRegistry): readonly Command[] => {
  const byName = new Map<string, Command>();
  for (const command of allCommands(registry)) {
    if (!byName.has(command.name)) byName.set(command.name, command);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** Names that an entry with a smaller id has: nothing but `-x` runs the other. */
export const takenCommandNames = (registry: EntryRegistry): readonly SurfaceProblem[] => {
  const first = new Map<string, string>();
  return allCommands(registry).flatMap(({ id, name }): SurfaceProblem[] => {
    const holder = first.get(name);
    if (holder === undefined) first.set(name, id);
    if (holder === undefined) return [];
    return [
      {
        id,
        path: 'meta.command.name',
        message: `"${name}" is the command of ${holder} already: only -x ${id} runs this one`,
        severity: 'warning',
      },
    ];
  });
};

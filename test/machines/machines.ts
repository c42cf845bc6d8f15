import { type Program, type ProgramOptions, startProgram } from '../harness/program.ts';
import { total } from '../harness/prometheus-text.ts';
import type { Scope } from '../harness/teardown.ts';

/** Some programs of one app: each stands for a machine, because nothing is shared but the servers. */
export const startMachines = (
  scope: Scope,
  folder: string,
  count: number,
  options: ProgramOptions = {},
): Promise<readonly Program[]> =>
  Promise.all(Array.from({ length: count }, () => startProgram(scope, folder, options)));

/** Everything that it has written. */
export const written = (program: Program): readonly string[] => [...program.stdout, ...program.stderr];

/** What Lua has printed as `<what> <number>`, in order. */
export const numbersOf = (program: Program, what: string): readonly number[] =>
  written(program).flatMap((line) => {
    const found = new RegExp(`\\b${what} (\\d+)`).exec(line)?.[1];
    return found === undefined ? [] : [Number(found)];
  });

/** Log lines with this message. */
export const linesOf = (program: Program, message: string): readonly Readonly<Record<string, unknown>>[] =>
  program.stderr
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === message);

/** The sum of a family in one program, 0 where it has no series. */
export const sumOf = async (
  program: Program,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> => total(await program.scrape(), name, labels) ?? 0;

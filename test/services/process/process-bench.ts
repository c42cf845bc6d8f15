import { rootContext } from '../../../runtime/context.ts';
import type { HostValue } from '../../../runtime/lua/values.ts';
import { PROCESSES } from '../../../services/process/port.ts';
import { poll } from '../../harness/poll.ts';
import { type BenchOptions, type EntryText, surfaceBench } from '../surface-bench.ts';

export const HOST = 'app:host';
export const host = (more: Readonly<Record<string, unknown>> = {}): EntryText => ({
  id: HOST,
  kind: 'process.host',
  host: more,
});

/** A process whose `main` is this Lua body; its arguments are `...`. */
export const actor = (id: string, body: string, more: Readonly<Record<string, unknown>> = {}): EntryText => ({
  id,
  kind: 'process.lua',
  method: 'main',
  modules: ['funcs', 'time'].filter((name) => body.includes(`${name}.`) && name !== 'time'),
  source: `return { main = function(...) ${body} end }`,
  ...more,
});

/** Waits for CANCEL. */
export const IDLE = 'process.events():receive()';

type Scope = Parameters<typeof surfaceBench>[0];

/** The surface bench with one process host that runs. */
export const processBench = async (t: Scope, entries: readonly EntryText[], options: BenchOptions = {}) => {
  const hasHost = entries.some(({ id }) => id === HOST);
  const bench = await surfaceBench(t, hasHost ? entries : [host(), ...entries], options);
  const processes = bench.env.use(PROCESSES);
  const sum = (name: string): number =>
    bench.rows(name).reduce((all, row) => all + Number(row.slice(row.lastIndexOf(' ') + 1)), 0);
  return {
    ...bench,
    processes,
    root: rootContext,
    /** The sum of a family's series. */
    sum,
    /** Spawns from outside any trace. */
    spawn: (id: string, args: readonly HostValue[] = [], context = rootContext): string =>
      processes.spawn({ id, host: HOST, args, context }),
    /** All processes have ended, and their spans and counts are there. */
    ended: (count: number): Promise<true> =>
      poll(`${count} processes have ended`, () => sum('process_terminated_total') === count),
  };
};

import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byTurns, type Reading } from '../measure.ts';
import { type Child, startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import type { Load } from '../processes/load.ts';
import { type Server, startServer } from '../processes/server.ts';
import type { Readings, Row } from '../row.ts';
import { BATCH_VARIABLES, type Mode, settingsOf } from '../settings.ts';

const CONNECTIONS = 32;
const TURN_MS = 1500;
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

interface Bench {
  readonly load: Child;
  /** By side. */
  readonly servers: Readonly<Record<string, Server>>;
}

/** Starts a server for each side with a collector and a load process, and ends them all. */
const withServers = async (
  mode: 'sampled' | 'unsampled',
  hasByHand: boolean,
  measure: (bench: Bench) => Promise<Readings>,
): Promise<Readings> => {
  const folder = mkdtempSync(join(tmpdir(), 'perilune-bench-'));
  const collector = await startCollector();
  const load = await startChild('load');
  const program = (as: Mode): Promise<Server> => {
    const sets = settingsOf(as, collector.endpoint('ours')).flatMap((set) => ['--set', set]);
    const stderr = openSync(join(folder, `${as}.log`), 'w'); // where its lines go
    const options = { stderr, variables: BATCH_VARIABLES };
    return startServer(path('../../bin/perilune.js'), ['run', path('../apps/hello'), ...sets], options);
  };
  const byHand = (): Promise<Server> => {
    const args = mode === 'sampled' ? ['1', join(folder, 'by-hand.log')] : ['0'];
    const endpoint = collector.endpoint('by-hand');
    return startServer(path('../by-hand/server.ts'), [endpoint, ...args], { stderr: 'inherit' });
  };
  const servers: Record<string, Server> = { ours: await program(mode), off: await program('off') };
  if (hasByHand) servers['by-hand'] = await byHand();
  try {
    const readings = await measure({ load, servers });
    if (mode === 'sampled') await collector.checkReceived('ours', ...(hasByHand ? ['by-hand'] : []));
    return readings;
  } finally {
    for (const server of Object.values(servers)) await server.stop();
    await load.stop();
    await collector.stop();
    rmSync(folder, { recursive: true });
  }
};

const readingsOf = ({ load, servers }: Bench, rate?: number): Readonly<Record<string, Reading>> =>
  Object.fromEntries(
    Object.entries(servers).map(([name, { port }]) => {
      const question: Load = { port, path: '/hello?name=bench', connections: CONNECTIONS, ms: TURN_MS, rate };
      return [name, () => load.ask<number>(question)];
    }),
  );

/** Requests per second of hello.lua: the real program against itself with everything off, and against one by hand. */
export const httpHelloRow = (
  mode: 'sampled' | 'unsampled',
  atLeast: { readonly off: number; readonly 'by-hand': number },
): Row => ({
  name: `http.hello.${mode}`,
  unit: 'req/s',
  better: 'higher',
  atLeast,
  measure: () => withServers(mode, true, (bench) => byTurns(readingsOf(bench), { rounds: 4 })),
});

/** The 99th percentile of its answers' times, at half of the highest rate of the program with everything off. */
export const httpHelloP99Row = (mode: 'sampled' | 'unsampled', atLeast: number): Row => ({
  name: `http.hello.p99.${mode}`,
  unit: 'ms',
  better: 'lower',
  atLeast: { off: atLeast },
  isGated: false,
  measure: () =>
    withServers(mode, false, async (bench) => {
      const highest = await byTurns(readingsOf(bench), { rounds: 1 });
      return byTurns(readingsOf(bench, (highest.off ?? 0) / 2), { rounds: 4, warmUps: 0 });
    }),
});

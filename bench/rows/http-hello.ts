import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byTurns } from '../measure.ts';
import { startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import type { Load } from '../processes/load.ts';
import { type Server, startServer } from '../processes/server.ts';
import type { Row } from '../row.ts';
import { BATCH_VARIABLES, type Mode, settingsOf } from '../settings.ts';

const CONNECTIONS = 32;
const TURN_MS = 1500;
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Requests per second of hello.lua: the real program against itself with everything off, and against one by hand. */
export const httpHelloRow = (
  mode: 'sampled' | 'unsampled',
  atLeast: { readonly off: number; readonly 'by-hand': number },
): Row => ({
  name: `http.hello.${mode}`,
  unit: 'req/s',
  better: 'higher',
  atLeast,
  async measure() {
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
    const servers = { ours: await program(mode), off: await program('off'), 'by-hand': await byHand() };
    try {
      const sides = Object.entries(servers).map(([name, { port }]) => {
        const question: Load = { port, path: '/hello?name=bench', connections: CONNECTIONS, ms: TURN_MS };
        return [name, () => load.ask<number>(question)] as const;
      });
      const readings = await byTurns(Object.fromEntries(sides), { rounds: 4 });
      if (mode === 'sampled') await collector.checkReceived('ours', 'by-hand');
      return readings;
    } finally {
      for (const server of Object.values(servers)) await server.stop();
      await load.stop();
      await collector.stop();
      rmSync(folder, { recursive: true });
    }
  },
});

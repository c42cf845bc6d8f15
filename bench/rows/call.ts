import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { byTurns } from '../measure.ts';
import { startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import type { Row } from '../row.ts';

/** Costs below this are not told apart from nothing. */
const LEAST_MICROSECONDS = 0.05;

/** A metered call of a small Lua function in a span, less the bare call of the same side. */
export const callRow = (mode: 'sampled' | 'unsampled', atLeast: number): Row => ({
  name: `call.${mode}`,
  unit: 'us',
  better: 'lower',
  atLeast: { 'by-hand': atLeast },
  async measure() {
    const collector = await startCollector();
    const stderr = openSync(devNull, 'w'); // the program's own lines, about its start
    const start = (side: string, as: string) => startChild('calls', [side, as, collector.endpoint(side)], { stderr });
    const children = {
      'ours bare': await start('ours', 'off'),
      ours: await start('ours', mode),
      'by-hand bare': await start('by-hand', 'off'),
      'by-hand': await start('by-hand', mode),
    };
    try {
      const sides = Object.entries(children).map(([name, child]) => [name, () => child.ask<number>('round')] as const);
      const cost = await byTurns(Object.fromEntries(sides), { rounds: 6, warmUps: 2 });
      if (mode === 'sampled') await collector.checkReceived('ours', 'by-hand');
      const above = (side: string): number =>
        Math.max((cost[side] ?? 0) - (cost[`${side} bare`] ?? 0), LEAST_MICROSECONDS);
      return { ours: above('ours'), 'by-hand': above('by-hand') };
    } finally {
      for (const child of Object.values(children)) await child.stop();
      await collector.stop();
    }
  },
});

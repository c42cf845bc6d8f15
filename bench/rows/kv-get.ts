import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { byTurns } from '../measure.ts';
import { startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import type { Row } from '../row.ts';
import type { Mode } from '../settings.ts';

/** Reads of a store in memory by a Lua function, five hundred a call, everything on: the call has a span, a read none (the default). */
export const kvGet: Row = {
  name: 'kv.get',
  unit: 'read/s',
  better: 'higher',
  atLeast: { off: 0.8 },
  async measure() {
    const collector = await startCollector();
    const stderr = openSync(devNull, 'w'); // the program's own lines, about its start
    const start = (mode: Mode) => startChild('stores', [mode, collector.endpoint('ours')], { stderr });
    const [ours, off] = [await start('sampled'), await start('off')];
    try {
      const sides = { ours: () => ours.ask<number>('round'), off: () => off.ask<number>('round') };
      const readings = await byTurns(sides, { rounds: 9, warmUps: 3 });
      await collector.checkReceived('ours');
      return readings;
    } finally {
      await ours.stop();
      await off.stop();
      await collector.stop();
    }
  },
};

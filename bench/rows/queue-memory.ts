import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { byTurns } from '../measure.ts';
import { startChild } from '../processes/child.ts';
import { startCollector } from '../processes/collector-client.ts';
import type { Row } from '../row.ts';
import type { Mode } from '../settings.ts';

/** Messages per second through a queue in memory to a Lua consumer, from published to acked. */
export const queueMemoryRow = (mode: 'sampled' | 'unsampled', atLeast: number): Row => ({
  name: `queue.memory.${mode}`,
  unit: 'msg/s',
  better: 'higher',
  atLeast: { off: atLeast },
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), 'perilune-bench-'));
    const collector = await startCollector();
    const start = (as: Mode) =>
      startChild('messages', [as, collector.endpoint('ours')], { stderr: openSync(join(folder, `${as}.log`), 'w') });
    const [ours, off] = [await start(mode), await start('off')];
    try {
      const sides = { ours: () => ours.ask<number>('round'), off: () => off.ask<number>('round') };
      const readings = await byTurns(sides, { rounds: 5, warmUps: 2 });
      if (mode === 'sampled') await collector.checkReceived('ours');
      return readings;
    } finally {
      await ours.stop();
      await off.stop();
      await collector.stop();
      rmSync(folder, { recursive: true });
    }
  },
});

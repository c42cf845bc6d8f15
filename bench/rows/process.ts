import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { byTurns } from '../measure.ts';
import { type Child, startChild } from '../processes/child.ts';
import { type CollectorProcess, startCollector } from '../processes/collector-client.ts';
import type { Row } from '../row.ts';
import type { Mode } from '../settings.ts';

type What = 'spawn' | 'send';
type Start = (collector: CollectorProcess) => Promise<Child>;

/** The program on bench/apps/actors; its lines go nowhere, written all the same. */
const ours =
  (what: What, mode: Mode): Start =>
  (collector) =>
    startChild('actors', [what, mode, collector.endpoint('ours')], { stderr: openSync(devNull, 'w') });
const workers =
  (what: What): Start =>
  () =>
    startChild('workers', [what]);

const row = (name: string, unit: string, peer: string, atLeast: number, sides: { ours: Start; peer: Start }): Row => ({
  name,
  unit,
  better: 'higher',
  atLeast: { [peer]: atLeast },
  async measure() {
    const collector = await startCollector();
    const started: Child[] = [];
    try {
      for (const start of [sides.ours, sides.peer]) started.push(await start(collector));
      const [one, other] = started as [Child, Child];
      const read = (child: Child) => () => child.ask<number>('round');
      return await byTurns({ ours: read(one), [peer]: read(other) }, { rounds: 7, warmUps: 3 });
    } finally {
      for (const child of started) await child.stop();
      await collector.stop();
    }
  },
});

/** Processes per second that are spawned, run and end, everything on; Workers per second that do. */
export const processSpawn = row('process.spawn', 'process/s', 'worker_threads', 50, {
  ours: ours('spawn', 'sampled'),
  peer: workers('spawn'),
});

/** Messages per second from one process to another, received in order; neither side measures anything. */
export const processSend = row('process.send', 'msg/s', 'worker_threads', 1, {
  ours: ours('send', 'off'),
  peer: workers('send'),
});

/** The same beside Perilune with everything off. */
export const processSendOn = row('process.send.on', 'msg/s', 'off', 0.7, {
  ours: ours('send', 'sampled'),
  peer: ours('send', 'off'),
});

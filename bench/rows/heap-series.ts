import { byTurns } from '../measure.ts';
import { startChild } from '../processes/child.ts';
import type { Row } from '../row.ts';

/** One process per reading: what another side left on the heap would be counted. */
const bytesPerSeries = (side: string) => async (): Promise<number> => {
  const child = await startChild('heap', [side]);
  try {
    return await child.ask<number>('measure');
  } finally {
    await child.stop();
  }
};

/** heapUsed and arrayBuffers per series of a counter with 3 labels, at 20,000 series. */
export const heapSeries: Row = {
  name: 'heap.series',
  unit: 'B',
  better: 'lower',
  atLeast: { 'prom-client': 1.3 },
  measure: () =>
    byTurns({ ours: bytesPerSeries('ours'), 'prom-client': bytesPerSeries('prom-client') }, { rounds: 3, warmUps: 0 }),
};

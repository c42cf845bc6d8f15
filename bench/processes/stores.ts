import { setImmediate, setTimeout } from 'node:timers/promises';
import { rootContext } from '../../runtime/context.ts';
import { FUNCTIONS } from '../../services/function/port.ts';
import { processorTime } from '../measure.ts';
import { BATCH, type Mode } from '../settings.ts';
import { answer } from './answer.ts';
import { startProgram } from './program.ts';

const CALLS = 120;
/** Of one call of bench/apps/stores. */
const READS = 500;
const SUM = (READS * (READS + 1)) / 2;
/** Between two turns of the event loop, so that what is exported goes out meanwhile. */
const CALLS_A_TURN = 2;

const [mode, endpoint = ''] = process.argv.slice(2) as [Mode, string];
const functions = (await startProgram('stores', mode, endpoint)).use(FUNCTIONS);
await functions.call('bench:fill', [], rootContext);

/** Reads per second of processor time, the calls that make them included, until what they export has left. */
answer(async () => {
  globalThis.gc?.();
  const before = processorTime();
  for (let i = 1; i <= CALLS; i += 1) {
    const { value } = await functions.call('bench:read', [], rootContext);
    if (value !== SUM) throw new Error(`a read has given ${String(value)}`);
    if (i % CALLS_A_TURN === 0) await setImmediate();
  }
  if (mode === 'sampled') await setTimeout(2 * BATCH.scheduleDelayMs);
  return (CALLS * READS * 1000) / (processorTime() - before);
});

import { setImmediate, setTimeout } from 'node:timers/promises';
import { rootContext } from '../../runtime/context.ts';
import { FUNCTIONS } from '../../services/function/port.ts';
import { luaAdd } from '../by-hand/add.ts';
import { tracedAdd } from '../by-hand/call.ts';
import { processorTime } from '../measure.ts';
import { BATCH, type Mode } from '../settings.ts';
import { answer } from './answer.ts';
import { startProgram } from './program.ts';

/** Between two turns of the event loop, so that what is exported goes out meanwhile, as it would in a service. */
const CALLS_A_TURN = 100;

const [side, mode = 'off', endpoint = ''] = process.argv.slice(2) as [string, Mode, string];

const ourCall = async (): Promise<() => unknown> => {
  const functions = (await startProgram('calls', mode, endpoint)).use(FUNCTIONS);
  return () => functions.call('bench:add', [20, 22], rootContext);
};
const handMade = (): (() => unknown) => {
  const add = mode === 'off' ? luaAdd() : tracedAdd(endpoint, mode === 'sampled' ? 1 : 0);
  return () => add(20, 22);
};
/**
 * So many that what follows the collection of garbage before them (sweeping, code that is optimised again) is little of the
 * whole on every side: with 15,000 it was four fifths of a bare call. Spans are kept until they have left, so fewer there.
 */
const CALLS = mode === 'sampled' ? 40_000 : 100_000;
const call = side === 'ours' ? await ourCall() : handMade();

/**
 * Processor time of one call in microseconds, everything included that it causes until its span has left: exporting,
 * the collection of garbage, other threads. Waiting costs none, and other programs don't count.
 */
answer(async () => {
  globalThis.gc?.();
  const before = processorTime();
  for (let turn = 0; turn < CALLS / CALLS_A_TURN; turn += 1) {
    for (let i = 0; i < CALLS_A_TURN; i += 1) {
      const out = call();
      if (out instanceof Promise) await out;
    }
    await setImmediate();
  }
  if (mode === 'sampled') await setTimeout(2 * BATCH.scheduleDelayMs);
  return ((processorTime() - before) * 1000) / CALLS;
});

import { setImmediate } from 'node:timers/promises';
import { rootContext } from '../../runtime/context.ts';
import { LuaTable } from '../../runtime/lua/values.ts';
import type { QueueInfo } from '../../services/queue/driver.ts';
import { QUEUES } from '../../services/queue/port.ts';
import type { Mode } from '../settings.ts';
import { answer } from './answer.ts';
import { startProgram } from './program.ts';

const MESSAGES = 5000;
const QUEUE = 'bench:jobs';

const [mode, endpoint = ''] = process.argv.slice(2) as [Mode, string];
const queues = (await startProgram('jobs', mode, endpoint)).use(QUEUES);
const body = new LuaTable();
body.map.set('quantity', 3);
body.map.set('price', 7);

const info = (): QueueInfo => {
  const found = queues.info(QUEUE);
  if (found instanceof Promise) throw new Error(`${QUEUE} is not in memory`);
  return found;
};
/** The consumer's workers wait for messages again, as many as before the first: everything published is settled. */
const waiting = (): number => info().consumer_waiting ?? 0;
await setImmediate();
const idle = waiting();
if (idle === 0) throw new Error('no consumer waits for messages');

/** Messages per second, published as fast as the queue takes them, until the last is settled. */
answer(async () => {
  const start = performance.now();
  for (let i = 0; i < MESSAGES; i += 1) {
    const out = queues.publish(QUEUE, body, {}, rootContext);
    if (out instanceof Promise) await out; // full: until there is space
  }
  while (info().message_count !== 0 || waiting() < idle) await setImmediate();
  return (MESSAGES * 1000) / (performance.now() - start);
});

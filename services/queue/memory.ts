import type { Clock } from '../../runtime/clock.ts';
import type { DriverQueue, QueueDriver, QueueOptions } from './driver.ts';
import { memoryQueue } from './memory-queue.ts';

/** `max_length` of a queue that names none. */
const DEFAULT_MAX_LENGTH = 1000;

/** Queues inside this program, lost when it ends; running is all that its life means. */
export const memoryDriver = (clock: Clock): QueueDriver => {
  let running = false;
  const onStop: (() => void)[] = [];
  return {
    system: 'perilune',
    kind: 'memory',
    queue({ maxLength, idempotencyWindowMs }: QueueOptions): DriverQueue {
      const { queue, cancelTimers } = memoryQueue(clock, {
        maxLength: maxLength || DEFAULT_MAX_LENGTH,
        idempotencyWindowMs,
        isRunning: () => running,
      });
      onStop.push(cancelTimers);
      return queue;
    },
    async start() {
      running = true;
    },
    async stop() {
      running = false;
      for (const cancel of onStop) cancel();
    },
  };
};

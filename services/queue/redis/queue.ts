import type { Cancel } from '../../../runtime/clock.ts';
import { internal } from '../../../runtime/errors.ts';
import { passed } from '../../../runtime/passed.ts';
import { hasCode } from '../../../runtime/redis/failure.ts';
import type { DriverQueue, IntakeOptions, OutgoingMessage, PublishOptions } from '../driver.ts';
import { fieldsOf } from './entry.ts';
import { type RedisIntake, redisIntake } from './intake.ts';
import type { QueuePlace } from './place.ts';
import { PUBLISH, TICK } from './scripts.ts';

/** How often a queue is looked at: what other programs did with it is known after that at most. */
const TICK_MS = 500;
const MOVED_AT_ONCE = 100;
/** A publish that waits for space asks again after this, and ever less often. */
const FULL_FIRST_MS = 10;
const FULL_LONGEST_MS = 250;

/** One queue in Redis. */
export interface RedisQueue extends DriverQueue {
  readonly place: QueuePlace;
  start(): Promise<void>;
  /** Consumers that are still open are closed. */
  stop(): Promise<void>;
}

export interface RedisQueueHost {
  readonly idempotencyWindowMs: number;
  readonly isRunning: () => boolean;
  readonly placeOf: (queue: DriverQueue) => QueuePlace | undefined;
  readonly onFailure: (reason: string) => void;
}

export const redisQueue = (place: QueuePlace, host: RedisQueueHost): RedisQueue => {
  const { clock, link, keys, group, maxLength, backlog } = place;
  /** Until everything that they took is settled. */
  const intakes = new Set<RedisIntake>();
  let cancelTick: Cancel | undefined;
  let tickDue = Number.POSITIVE_INFINITY;

  const running = (): void => {
    if (!host.isRunning()) throw internal('queue driver is not running');
  };
  const ensureGroup = async (): Promise<void> => {
    try {
      await link.run((redis) => redis.xgroup('CREATE', keys.stream, group, '0', 'MKSTREAM'));
    } catch (error) {
      if (!hasCode(error, 'BUSYGROUP')) throw error;
    }
  };

  /** The next look at the queue is at the latest in so many milliseconds. */
  const tickIn = (ms: number): void => {
    const due = clock.now() + ms;
    if (!host.isRunning() || due >= tickDue) return;
    cancelTick?.();
    tickDue = due;
    cancelTick = clock.after(ms, () => void tick(), { unref: true });
  };
  const look = async (): Promise<number> => {
    const answer = await link.script(TICK, [keys.stream, keys.delayed], [group, MOVED_AT_ONCE]);
    const [inStream, notDue, oldest, due, now] = answer as [number, number, number, number, number];
    backlog.looked(inStream, notDue, oldest < 0 ? Number.POSITIVE_INFINITY : clock.wall() - (now - oldest));
    return due;
  };
  const tick = async (): Promise<void> => {
    tickDue = Number.POSITIVE_INFINITY;
    let due = -1;
    try {
      if (link.isReady) due = await look();
    } catch (error) {
      host.onFailure(`the state of ${keys.stream} could not be read: ${(error as Error).message}`);
    }
    tickIn(due < 0 ? TICK_MS : Math.min(TICK_MS, due));
  };

  const insert = async (
    message: OutgoingMessage,
    { delayMs = 0, idempotencyKey }: PublishOptions,
  ): Promise<'ok' | 'duplicate' | 'full'> => {
    const fields = fieldsOf(message, 1);
    const isPlain = !(delayMs > 0) && maxLength === 0 && idempotencyKey === undefined;
    if (isPlain) {
      await link.run((redis) => redis.xadd(keys.stream, '*', ...fields));
      backlog.added(0, message.publishedAt);
      return 'ok';
    }
    const names = [keys.stream, keys.delayed];
    if (idempotencyKey !== undefined && host.idempotencyWindowMs >= 1) names.push(keys.idempotency(idempotencyKey));
    const args = [group, Math.round(Math.max(0, delayMs)), maxLength, Math.round(host.idempotencyWindowMs), ...fields];
    const outcome = (await link.script(PUBLISH, names, args)) as 'ok' | 'duplicate' | 'full';
    if (outcome === 'ok') backlog.added(delayMs, message.publishedAt);
    if (outcome === 'ok' && delayMs > 0) tickIn(delayMs);
    return outcome;
  };
  const buffered = (): number => {
    let count = 0;
    for (const intake of intakes) count += intake.buffered;
    return count;
  };

  return {
    place,
    async publish(message, options, signal) {
      running();
      if (signal.aborted) throw signal.reason;
      for (let waitMs = FULL_FIRST_MS; (await insert(message, options)) === 'full'; ) {
        await passed(clock, waitMs, signal);
        waitMs = Math.min(FULL_LONGEST_MS, waitMs * 2);
        running();
      }
    },
    async store(message) {
      running();
      if ((await insert(message, {})) === 'full') throw internal('queue is full');
    },
    consume(options: IntakeOptions) {
      const intake = redisIntake(place, options, {
        ensureGroup,
        placeOf: host.placeOf,
        onFailure: host.onFailure,
        onLeft: (left) => intakes.delete(left),
        onDelayed: tickIn,
      });
      intakes.add(intake);
      return intake;
    },
    depth: () => backlog.waiting + buffered(),
    capacity: () => (maxLength === 0 ? undefined : maxLength),
    oldestAgeSeconds() {
      // Those that are taken ahead wait too, as they do for the depth.
      let oldest = backlog.oldestAt;
      for (const intake of intakes) oldest = Math.min(oldest, intake.oldestBufferedAt);
      return oldest === Number.POSITIVE_INFINITY ? 0 : Math.max(0, clock.wall() - oldest) / 1000;
    },
    async info() {
      running();
      await look();
      let waiting = 0;
      for (const intake of intakes) waiting += intake.waiting;
      return {
        message_count: backlog.waiting + buffered(),
        ready: backlog.waiting - backlog.delayed + buffered(),
        delayed: backlog.delayed,
        consumer_waiting: waiting,
      };
    },
    async start() {
      await ensureGroup();
      tickIn(0);
    },
    async stop() {
      cancelTick?.();
      cancelTick = undefined;
      tickDue = Number.POSITIVE_INFINITY;
      await Promise.all([...intakes].map((intake) => intake.abandon()));
      intakes.clear();
    },
  };
};

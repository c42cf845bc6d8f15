import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { messageOf as textOfError } from '../../../runtime/errors.ts';
import { Fifo } from '../../../runtime/fifo.ts';
import { hasCode } from '../../../runtime/redis/failure.ts';
import type { RedisLink } from '../../../runtime/redis/link.ts';
import type { Delivery, DriverQueue, Intake, IntakeOptions } from '../driver.ts';
import { countingHolder } from './backlog.ts';
import { RedisDelivery } from './delivery.ts';
import { messageOf } from './entry.ts';
import { heldEntries } from './held.ts';
import type { QueuePlace } from './place.ts';
import { FORGET, RECLAIM } from './scripts.ts';

/** One blocking read lasts so long at most: below the silence after which a connection is taken for dead. */
const BLOCK_MS = 2000;
const LONGEST_RECLAIM_MS = 5000;
/** A consumer without deliveries that has been silent for this is taken off the group's list. */
const FORGOTTEN_AFTER_MS = 60_000;
const PAUSE_MS = 100;
/**
 * When Redis is back, what other programs hold is as old as what the dead have left: nobody could renew it. They connect again
 * within a second (runtime/redis/link.ts), and renew at once; before that nothing is taken over.
 */
const GRACE_MS = 2000;

type Entry = readonly [id: string, fields: readonly string[], deliveries?: number];
const nodeName = ({ options: { host, port } }: Redis): string => `${host}:${port}`;

type Taker = (delivery: Delivery | undefined) => void;

export interface RedisIntake extends Intake {
  /** Taken ahead, and not handed out. */
  readonly buffered: number;
  /** Publish time of the first of those; Infinity where there is none. */
  readonly oldestBufferedAt: number;
  readonly waiting: number;
  /** Closes, and renews nothing more: what is not settled by then is taken over by others. */
  abandon(): Promise<void>;
}

/**
 * One consumer of the group: reads up to `prefetch` messages ahead on a connection of its own, renews what it holds and
 * takes over what others have left behind.
 */
export const redisIntake = (
  place: QueuePlace,
  { prefetch, autoAck }: IntakeOptions,
  host: {
    /** The stream and its group exist from then on. */
    readonly ensureGroup: () => Promise<void>;
    readonly placeOf: (queue: DriverQueue) => QueuePlace | undefined;
    /** Reading has failed, and is tried again. */
    readonly onFailure: (reason: string) => void;
    /** It is closed, and has settled all that it took. */
    readonly onLeft: (intake: RedisIntake) => void;
    /** A message was put back, to be delivered in so many milliseconds. */
    readonly onDelayed: (ms: number) => void;
  },
): RedisIntake => {
  const { clock, link, keys, group, visibilityMs, backlog } = place;
  const consumer = `${hostname()}-${process.pid}-${randomUUID()}`;
  const held = heldEntries(place, consumer, host);
  const holder = countingHolder(held, place, host.placeOf);
  const reading: RedisLink = link.another(`perilune ${keys.stream} reads`);
  const buffer = new Fifo<RedisDelivery>();
  const takers = new Set<Taker>();
  const reclaimEveryMs = Math.min(LONGEST_RECLAIM_MS, Math.max(20, visibilityMs / 4));
  let closing: Promise<void> | undefined;
  let isClosed = false;
  let nextReclaim = 0;
  let hasConnected = false;
  let cursor = '0-0';
  /** Ids of the reading connections, by server: of one, or of the nodes of a cluster. */
  let readers: ReadonlyMap<string, number> = new Map();
  let wakeReader: () => void = () => {};

  const handOut = (delivery: RedisDelivery): Delivery | Promise<Delivery> =>
    autoAck ? delivery.ack().then(() => delivery) : delivery;
  const serve = async (taker: Taker, delivery: RedisDelivery): Promise<void> => {
    try {
      taker(await handOut(delivery));
    } catch (error) {
      // Not acknowledged, so not delivered: it comes again.
      host.onFailure(textOfError(error));
      held.drop(delivery.entryId);
      if (isClosed) taker(undefined);
      else takers.add(taker);
    }
  };
  const accept = (entries: readonly Entry[], askedAt: number): void => {
    for (const [entryId, fields, deliveries = 1] of entries) {
      const message = messageOf(entryId, fields);
      // Each takeover is a delivery more than the message itself knows of.
      const delivery = new RedisDelivery(entryId, { ...message, attempt: message.attempt + deliveries - 1 }, holder);
      held.add(entryId, askedAt);
      const [taker] = takers;
      if (taker === undefined) buffer.push(delivery);
      else {
        takers.delete(taker);
        void serve(taker, delivery);
      }
    }
  };
  const wanted = (): number => takers.size + prefetch - buffer.size;

  const reclaim = async (count: number): Promise<number> => {
    await held.renewOld();
    const askedAt = clock.now();
    const args = [group, consumer, Math.ceil(visibilityMs), cursor, count];
    const [next, entries] = (await link.script(RECLAIM, [keys.stream], args)) as [string, Entry[]];
    cursor = next;
    // What is under way here is not begun again, however late it was renewed: a program that has slept takes it over from itself.
    // Looked at before anything else is waited for: what is settled by then is under way no more, and would seem to be new.
    const others = entries.filter(([entryId]) => !held.has(entryId));
    accept(others, askedAt);
    if (cursor === '0-0') {
      nextReclaim = clock.now() + reclaimEveryMs;
      await link.script(FORGET, [keys.stream], [group, FORGOTTEN_AFTER_MS + 2 * visibilityMs, '']);
    }
    return others.length;
  };
  const read = async (count: number): Promise<void> => {
    const askedAt = clock.now();
    const blockMs = Math.ceil(Math.min(BLOCK_MS, Math.max(1, nextReclaim - clock.now())));
    const answer = (await reading.run((redis) =>
      redis.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'BLOCK', blockMs, 'STREAMS', keys.stream, '>'),
    )) as [string, Entry[]][] | null;
    const entries = answer?.[0]?.[1] ?? [];
    backlog.taken(entries.length);
    accept(entries, askedAt);
  };
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const afterFailure = async (error: unknown): Promise<void> => {
    if (isClosed) return;
    // Redis has lost the stream (a restart without its data, FLUSHALL): the group begins again with what comes.
    if (hasCode(error, 'NOGROUP')) await host.ensureGroup().catch(() => pause(PAUSE_MS));
    else {
      host.onFailure(textOfError(error));
      await pause(PAUSE_MS);
    }
    await reading.untilReady(BLOCK_MS);
  };
  const demand = (): Promise<void> =>
    new Promise((resolve) => {
      wakeReader = resolve;
    });
  const loop = async (): Promise<void> => {
    while (!isClosed) {
      const count = wanted();
      if (count <= 0) {
        await demand();
        continue;
      }
      try {
        await reading.start();
        if (clock.now() >= nextReclaim && (await reclaim(count)) > 0) continue;
        await read(count);
      } catch (error) {
        await afterFailure(error);
      }
    }
  };
  reading.onReady(() => {
    const ids = new Map<string, number>();
    readers = ids;
    // Nothing is blocked yet. Where it fails, the read is waited for.
    reading.runOnEach(async (node) => void ids.set(nodeName(node), await node.client('ID'))).catch(() => {});
    if (hasConnected) {
      nextReclaim = Math.max(nextReclaim, clock.now() + GRACE_MS);
      void held.renewAgain(GRACE_MS);
    }
    hasConnected = true;
  });
  const looping = loop();

  /** The blocking read ends at once: what it brings then is given back, not lost for the visibility timeout. */
  const unblock = async (): Promise<void> => {
    try {
      await link.runOnEach(async (node) => {
        const id = readers.get(nodeName(node));
        if (id !== undefined) await node.client('UNBLOCK', id);
      });
    } catch {
      // Redis is not there: the read has failed by itself.
    }
  };
  const endReading = async (): Promise<void> => {
    let hasEnded = false;
    const ended = looping.then(() => {
      hasEnded = true;
    });
    wakeReader();
    // Again and again: the read may be on its way to Redis, not blocked yet.
    while (!hasEnded) {
      if (!link.isReady) reading.stop(); // nothing to unblock: the read, or the attempt to connect, ends by this
      await unblock();
      await Promise.race([ended, pause(PAUSE_MS)]);
    }
    reading.stop();
  };
  const leave = async (): Promise<void> => {
    await held.emptied();
    held.stop();
    host.onLeft(intake);
    try {
      await link.script(FORGET, [keys.stream], [group, FORGOTTEN_AFTER_MS + 2 * visibilityMs, consumer]);
    } catch {
      // Redis is not there: another consumer's FORGET does it later.
    }
  };

  const intake: RedisIntake = {
    get buffered() {
      return buffer.size;
    },
    get oldestBufferedAt() {
      return buffer.first?.publishedAt ?? Number.POSITIVE_INFINITY;
    },
    get waiting() {
      return takers.size;
    },
    next() {
      if (isClosed) return undefined;
      const delivery = buffer.shift();
      if (delivery !== undefined) {
        wakeReader();
        if (!autoAck) return delivery;
      }
      return new Promise((resolve) => {
        if (delivery !== undefined) void serve(resolve, delivery);
        else {
          takers.add(resolve);
          wakeReader();
        }
      });
    },
    close() {
      closing ??= (async () => {
        isClosed = true;
        held.hurry();
        for (const taker of takers) taker(undefined);
        takers.clear();
        await endReading();
        const untaken: Promise<void>[] = [];
        for (let one = buffer.shift(); one !== undefined; one = buffer.shift()) untaken.push(one.untake());
        await Promise.all(untaken);
        void leave(); // when the handlers that still run have ended
      })();
      return closing;
    },
    async abandon() {
      await intake.close();
      held.stop();
    },
  };
  return intake;
};

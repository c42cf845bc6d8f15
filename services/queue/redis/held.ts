import type { Cancel } from '../../../runtime/clock.ts';
import { CallError } from '../../../runtime/errors.ts';
import { hasCode } from '../../../runtime/redis/failure.ts';
import type { DriverQueue } from '../driver.ts';
import { acknowledging } from './acks.ts';
import type { Holder } from './delivery.ts';
import { fieldsOf } from './entry.ts';
import type { QueuePlace } from './place.ts';
import { HOLDS, MOVE, PUBLISH, RENEW, RETURN, TAKE_OFF } from './scripts.ts';

/** Entries that one renewal asks for. */
const RENEWED_AT_ONCE = 500;
/** A settlement that Redis does not take now, though it is there, is tried again after this. */
const PAUSE_MS = 100;
/** One wait for the connection: no timer is longer. */
const LONGEST_WAIT_MS = 60_000;

/** The entries that one consumer has taken and not settled. */
export interface Held extends Holder {
  readonly size: number;
  /** It was taken and is not settled: what it is for is under way here. */
  has(entryId: string): boolean;
  /** `askedAt`: when Redis was asked for it. It counts from about then, however late its answer is read. */
  add(entryId: string, askedAt: number): void;
  /**
   * Before others' entries are taken over: those of a consumer that has slept, or was without Redis, are as old as
   * theirs, and would be taken over from itself. @throws CallError when they could not be renewed.
   */
  renewOld(): Promise<void>;
  /** Redis was away: at once, as soon as it can be asked, which is waited for so long. Never rejects. */
  renewAgain(withinMs: number): Promise<void>;
  /** From now on a settlement that cannot reach Redis fails at once instead of waiting for it. */
  hurry(): void;
  /** Resolves when nothing is held. */
  emptied(): Promise<void>;
  stop(): void;
}

export const heldEntries = (
  place: QueuePlace,
  consumer: string,
  host: {
    readonly placeOf: (queue: DriverQueue) => QueuePlace | undefined;
    readonly onDelayed: (ms: number) => void;
  },
): Held => {
  const { clock, link, keys, group, visibilityMs } = place;
  const acknowledge = acknowledging(link, keys.stream, group);
  const ids = new Set<string>();
  const empty = new Set<() => void>();
  const hurried = Promise.withResolvers<void>();
  let isHurried = false;
  let stopRenewing: Cancel | undefined;
  /** Nothing that is held was renewed before this, or taken. */
  let renewedAt = clock.now();

  const drop = (entryId: string): void => {
    ids.delete(entryId);
    if (ids.size > 0) return;
    for (const tell of empty) tell();
    empty.clear();
  };
  let renewing: Promise<void> | undefined;
  const renewAll = async (all: readonly string[], before: number): Promise<void> => {
    try {
      for (let i = 0; i < all.length; i += RENEWED_AT_ONCE) {
        await link.script(RENEW, [keys.stream], [group, consumer, ...all.slice(i, i + RENEWED_AT_ONCE)]);
      }
    } catch (error) {
      renewedAt = Math.min(renewedAt, before);
      throw error;
    } finally {
      renewing = undefined;
    }
  };
  const renew = (): Promise<void> => {
    if (renewing !== undefined) return renewing;
    const before = renewedAt;
    renewedAt = clock.now(); // what is added meanwhile may put it back
    renewing = renewAll([...ids], before);
    return renewing;
  };
  const startRenewing = (): void => {
    const tick = (): void => {
      // Whoever settles next says so, and the connection's watch has: what is held is renewed when it is back.
      renew().catch(() => {});
    };
    stopRenewing ??= clock.every(Math.max(10, visibilityMs / 3), tick, { unref: true });
  };
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  /** A handler has done its work, and Redis is not there: its settlement waits, so that a restart of Redis is no second delivery. */
  const settle = async <T>(entryId: string, patienceMs: number, how: () => Promise<T>): Promise<T> => {
    const until = clock.now() + patienceMs;
    for (;;) {
      try {
        const out = await how();
        drop(entryId);
        return out;
      } catch (error) {
        const isLate = isHurried || clock.now() >= until;
        if (isLate || !(error instanceof CallError) || error.kind !== 'Unavailable') throw error;
        const left = Math.max(0, until - clock.now());
        const waited = link.isReady ? pause(PAUSE_MS) : link.untilReady(Math.min(LONGEST_WAIT_MS, left));
        await Promise.race([waited, hurried.promise]);
      }
    }
  };

  type Moved = 'ok' | 'full' | 'lost';
  const moved = async (entryId: string, to: QueuePlace, fields: readonly string[]): Promise<Moved> => {
    const from = [keys.stream, to.keys.stream, to.keys.delayed];
    try {
      const args = [group, consumer, entryId, to.group, to.maxLength, ...fields];
      return (await link.script(MOVE, from, args)) as Moved;
    } catch (error) {
      if (!hasCode(error, 'CROSSSLOT')) throw error;
    }
    // Queues in two slots of a cluster: what is cut off in between comes again, and nothing is lost.
    const mine = [group, consumer, entryId];
    if ((await link.script(HOLDS, [keys.stream], mine)) !== 1) return 'lost';
    const stored = await link.script(PUBLISH, from.slice(1), [to.group, 0, to.maxLength, 0, ...fields]);
    if (stored !== 'ok') return 'full';
    await link.script(TAKE_OFF, [keys.stream], mine);
    return 'ok';
  };

  return {
    get size() {
      return ids.size;
    },
    add(entryId, askedAt) {
      ids.add(entryId);
      renewedAt = Math.min(renewedAt, askedAt);
      startRenewing();
    },
    has: (entryId) => ids.has(entryId),
    async renewOld() {
      await renewing;
      if (ids.size > 0 && clock.now() - renewedAt > visibilityMs / 2) await renew();
    },
    async renewAgain(withinMs) {
      if (ids.size === 0) return;
      await link.untilReady(withinMs);
      await renew().catch(() => {}); // as at a tick
    },
    // However long: the work is done, and to say so late is right whoever has the message by then.
    ack: (entryId) => settle(entryId, Number.POSITIVE_INFINITY, () => acknowledge(entryId)),
    async putBack(entryId, message, delayMs) {
      const fields = fieldsOf(message, message.attempt);
      const args = [group, consumer, entryId, Math.round(delayMs), ...fields];
      // As long as nobody else may have the message. It needs space, which there may be none of before others are settled.
      await settle(entryId, visibilityMs, () => link.script(RETURN, [keys.stream, keys.delayed], args));
      if (delayMs > 0) host.onDelayed(delayMs);
    },
    move(entryId, to, message) {
      const target = host.placeOf(to);
      if (target === undefined) return undefined;
      return settle(entryId, visibilityMs, () => moved(entryId, target, fieldsOf(message, 1))).then((out) => {
        if (out === 'full') ids.add(entryId); // it has not moved
        return out;
      });
    },
    drop,
    hurry() {
      isHurried = true;
      hurried.resolve();
    },
    async emptied() {
      if (ids.size > 0) await new Promise<void>((resolve) => empty.add(resolve));
    },
    stop() {
      stopRenewing?.();
      stopRenewing = undefined;
    },
  };
};

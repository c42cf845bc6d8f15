import { createHash } from 'node:crypto';
import type { Clock } from '../../../runtime/clock.ts';
import { passed } from '../../../runtime/passed.ts';
import type { SourceDatabase } from './database.ts';

/** How often those that stand by ask. A lock that is waited for in the server would hold up its vacuum. */
const ASK_EVERY_MS = 1000;

/** The number that stands for a slot among the server's advisory locks. */
const keyOf = (slot: string): bigint => createHash('sha256').update(`perilune cdc ${slot}`).digest().readBigInt64BE(0);

export interface TurnOptions {
  readonly slot: string;
  readonly clock: Clock;
  /** Somebody else reads: told once. */
  readonly standBy: () => void;
  readonly signal: AbortSignal;
  /** The server's processes of our connections before, which may hold our turn because the server does not know that they have ended. */
  readonly former: ReadonlySet<number>;
}

/**
 * Resolves when this program alone may read the slot, prepare it and make its snapshot. Its turn ends with the connection. A slot
 * knows that itself only while it streams. @throws Error of the server, or the reason of the signal.
 */
export const takeTurn = async (
  database: SourceDatabase,
  { slot, clock, standBy, signal, former }: TurnOptions,
): Promise<void> => {
  const key = keyOf(slot);
  const holder = former.size === 0 ? undefined : await database.lockHolder(key);
  if (holder !== undefined && former.has(holder)) await database.terminate(holder);
  for (let isFirst = true; !(await database.tryLock(key)); isFirst = false) {
    if (isFirst) standBy();
    await Promise.race([database.ended, passed(clock, ASK_EVERY_MS, signal)]);
  }
};

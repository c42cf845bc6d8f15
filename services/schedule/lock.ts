import type { Clock } from '../../runtime/clock.ts';
import { waitAtMost } from '../../runtime/deadline.ts';
import { unavailable } from '../../runtime/errors.ts';
import type { ScheduleConfig } from './kinds.ts';

/** What a tick comes to for the machine that asks. */
export const CLAIMS = ['run', 'taken', 'queued', 'busy', 'early', 'unknown'] as const;
/**
 * `run`: it is this machine's; `taken`: it has been another's; `queued`: whoever runs the one before does this one after it;
 * `busy`: the one before has not ended, here or elsewhere, and this one is left out; `early`: the server's clock is far from
 * it; `unknown`: a late tick that the server has no record of, because it has lost its data.
 */
export type Claim = (typeof CLAIMS)[number];

export interface Claimed {
  readonly claim: Claim;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly now: number;
}

/**
 * What all machines that run the app agree on about one schedule: the last tick that one of them has taken, and whether its run
 * goes on. Each operation is one step on the server, and by its clock. All reject with CallError.
 */
export interface TickLock {
  /** Makes ready what it needs there, and returns the server's time. */
  prepare(signal: AbortSignal): Promise<number>;
  /**
   * Ticks are told apart by the time they are due: each is given away once, and none that is older than one given away. With
   * `allow` nothing is held. Asking again with the same holder, after an answer that got lost, gives the same.
   */
  claim(tick: number, holder: string, overlap: ScheduleConfig['overlap'], signal: AbortSignal): Promise<Claimed>;
  /** The run goes on. False: it has been silent for so long that another machine may run as well. */
  renew(holder: string, signal: AbortSignal): Promise<boolean>;
  /** The run has ended. True, where `mayGoOn`: one has been queued, and is this machine's now. */
  release(holder: string, mayGoOn: boolean, signal: AbortSignal): Promise<boolean>;
}

/** A run whose machine has not been heard of for so long has ended with it. */
export const LEASE_MS = 10_000;
/** A tick, or what is on record, this far ahead of the server's clock belongs to a clock that was set back. */
export const AHEAD_MS = 60_000;
/** A tick this late that is on no record may have been run by another machine before the record was lost. */
export const LATE_MS = 1000;

/** A server that says nothing for so long is away. */
const ANSWER_MS = 10_000;

/** The answer to a question, which is cut off when nobody waits for it any more. @throws CallError, or the reason of `stop`. */
export const answerOf = async <T>(
  clock: Clock,
  question: (signal: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> => {
  const over = new AbortController();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const cut = (): void => reject(stop?.reason);
  if (stop?.aborted === true) cut();
  stop?.addEventListener('abort', cut);
  try {
    const waited = await waitAtMost(clock, ANSWER_MS, Promise.race([question(over.signal), stopped]));
    if (!waited.inTime) throw unavailable(`the lock has not answered within ${ANSWER_MS} ms`);
    return waited.value;
  } finally {
    over.abort(unavailable('nobody waits for the lock any more'));
    stop?.removeEventListener('abort', cut);
  }
};

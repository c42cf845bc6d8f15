import { randomUUID } from 'node:crypto';
import { messageOf } from '../../runtime/errors.ts';
import type { Health } from '../../runtime/health.ts';
import type { Logger } from '../../runtime/logger.ts';
import { tickClaims } from './claims.ts';
import { heldRuns } from './held-runs.ts';
import type { Claim, TickLock } from './lock.ts';
import { STOPPING, type TickHandler, type TickHandlerOptions } from './tick-handler.ts';

export interface SharedTicksOptions extends TickHandlerOptions {
  readonly id: string;
  /** The entry that keeps the lock. */
  readonly lockId: string;
  readonly lock: TickLock;
  readonly health: Health;
  readonly logger: Logger;
  /** Nobody knows whose the tick was, so that it is not run here. */
  readonly lose: (loss: TickLoss) => void;
}

export interface TickLoss {
  readonly reason: string;
  /** Within an episode that has its line already. */
  readonly isTold: boolean;
}

/** With a `lock`: of all machines, one runs each tick, and what runs elsewhere counts for `overlap`. */
export const sharedTicks = (options: SharedTicksOptions): TickHandler => {
  const { id, lockId, lock, clock, overlap, delays, run, skip, health, logger, lose } = options;
  const fields = { schedule: id, lock: lockId };
  let isAway = false;

  const failed = (error: unknown): void => {
    health.error('connect');
    if (isAway) return;
    isAway = true;
    health.degraded(true);
    logger.error('the lock of a schedule cannot be asked: its ticks wait, so that none is run twice', {
      ...fields,
      error: messageOf(error),
    });
  };
  const answered = (): void => {
    if (!isAway) return;
    isAway = false;
    health.degraded(false);
    logger.info('the lock of a schedule can be asked again', fields);
  };
  const runs = heldRuns({
    clock,
    lock,
    overlap,
    run,
    failed,
    lost: () =>
      logger.warn('a run has lost its lock: this machine was silent for too long, another may run beside it', fields),
  });
  const claimed = (claim: Claim, holder: string, tick: number): void => {
    switch (claim) {
      case 'run': {
        const held = runs.hold(holder);
        const drop = (): void => {
          held.drop();
          skip(STOPPING);
        };
        delays.add(held.begin, drop);
        return;
      }
      case 'busy':
        skip(overlap === 'queue' ? 'one runs and one waits' : 'the run before has not ended');
        return;
      case 'unknown':
        lose({ reason: `${lockId} has lost its data: another machine may have run this tick`, isTold: false });
        return;
      default: // another machine has counted it, or will
        logger.debug('a tick is not run here', { ...fields, tick: new Date(tick).toISOString(), reason: claim });
    }
  };
  const claims = tickClaims({
    clock,
    lock,
    overlap,
    machine: randomUUID(),
    claimed,
    failed,
    answered,
    givenUp: (_tick, isStopping) =>
      isStopping ? skip(STOPPING) : lose({ reason: `${lockId} cannot be asked`, isTold: isAway }),
  });

  return {
    time: claims.time,
    async start() {
      await claims.start();
      runs.open();
    },
    tick: (due) => claims.add(due),
    close() {
      claims.close();
      runs.close();
      delays.clear();
    },
    async idle() {
      await claims.idle();
      delays.clear(); // what was being asked when it closed
      await runs.idle();
    },
    stop: () => claims.stop(),
  };
};

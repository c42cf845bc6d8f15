import type { Clock } from '../../runtime/clock.ts';
import type { Delays } from './delays.ts';
import type { ScheduleConfig } from './kinds.ts';
import { overlappingRuns } from './runs.ts';

/** Why a tick makes no run at the end. */
export const STOPPING = 'the schedule is stopping';

/** What becomes of the ticks of one schedule. */
export interface TickHandler {
  /** The clock by which they come. */
  readonly time: Clock;
  /** @throws CallError */
  start(): Promise<void>;
  tick(due: number): void;
  /** Those that have come and not run are skipped. */
  close(): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  /** Waits for nobody any more. */
  stop(): void;
}

export interface TickHandlerOptions {
  readonly clock: Clock;
  readonly overlap: ScheduleConfig['overlap'];
  readonly delays: Delays;
  /** Never throws or rejects. */
  readonly run: () => void | Promise<void>;
  readonly skip: (reason: string) => void;
}

/** Without a `lock`: this machine runs each tick, whatever others do. */
export const ownTicks = ({ clock, overlap, delays, run, skip }: TickHandlerOptions): TickHandler => {
  const runs = overlappingRuns(overlap, run, skip);
  return {
    time: clock,
    async start() {},
    tick: () => delays.add(runs.add, () => skip(STOPPING)),
    close() {
      delays.clear();
      runs.clear();
    },
    idle: runs.idle,
    stop() {},
  };
};

import type { Clock } from '../../../runtime/clock.ts';
import type { ChangeLog } from '../../sql/port.ts';
import type { ChangeHub } from '../hub.ts';
import type { LogFeed } from './feed.ts';

/** How often the position is written down at most. */
const KEEP_EVERY_MS = 250;
/** Lines that are read at once. */
const LINES_AT_ONCE = 250;

/** From the log to the feed, and the handled position back. */
export interface LogReading {
  /** Reads until `end`. Rejects when the log has ended. */
  run(): Promise<never>;
  /** The progress has moved: writes the position down soon. */
  advanced(): void;
  /** Writes it down now. */
  settle(): Promise<void>;
  end(): void;
}

export interface LogReadingOptions {
  readonly log: ChangeLog;
  readonly feed: LogFeed;
  readonly hub: ChangeHub;
  readonly clock: Clock;
  /** The position could not be written down; capturing goes on. */
  readonly onKeepFailed: (error: unknown) => void;
}

export const logReading = ({ log, feed, hub, clock, onKeepFailed }: LogReadingOptions): LogReading => {
  let hasMoved = false;
  let isEnded = false;
  let cancelKeep: (() => void) | undefined;

  const keep = async (): Promise<void> => {
    if (!hasMoved) return;
    hasMoved = false;
    try {
      await log.keep(Number(feed.progress.confirmed.position));
    } catch (error) {
      hasMoved = true;
      throw error;
    }
  };
  const read = async (): Promise<never> => {
    for (;;) {
      // What consumers have not handled is not read: it waits in the log.
      await hub.room();
      const committed = await log.changed(feed.position);
      const lines = await log.read(feed.position, LINES_AT_ONCE);
      if (isEnded) return new Promise<never>(() => {});
      for (const line of lines) feed.take(line);
      // Somebody has removed them.
      if (lines.length === 0) feed.skipTo(committed);
    }
  };
  return {
    run: () => Promise.race([read(), log.ended]),
    advanced() {
      // The first tells that a snapshot has been handled: it is written down at once.
      const delayMs = log.owesRows && !hasMoved ? 0 : KEEP_EVERY_MS;
      hasMoved = true;
      if (isEnded) return;
      cancelKeep ??= clock.after(delayMs, () => {
        cancelKeep = undefined;
        if (!isEnded) keep().catch(onKeepFailed);
      });
    },
    settle: keep,
    end() {
      isEnded = true;
      cancelKeep?.();
    },
  };
};

import type { Clock } from '../../../runtime/clock.ts';
import type { ChangeHub } from '../hub.ts';
import type { PostgresConfig } from '../kinds.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { pgOutputParser } from '../pgoutput/parser.ts';
import { answered } from './answer.ts';
import type { ChangeFeed } from './feed.ts';
import type { Session } from './session.ts';
import { transactionAssembler } from './transactions.ts';

/** How often the position is written down at most. */
const KEEP_EVERY_MS = 1000;
const DEFAULT_STANDBY_MS = 10_000;
/**
 * A server that has answered none of so many status messages is taken for dead: with the default interval after a minute,
 * as its own receivers do. Intervals and not time: a program that was stopped for a while has heard nothing meanwhile.
 */
const SILENT_INTERVALS = 6;

/** One session's stream: from the wire to the feed, and the confirmed position back. */
export interface Streaming {
  /** The progress has moved: tells the server soon, once for all that moves in this turn. */
  advanced(): void;
  /** Tells the server and writes the position down, now. */
  settle(): Promise<void>;
  /** Reads nothing more. */
  hold(): void;
  /** Stops the timers. */
  end(): void;
}

export interface StreamingOptions {
  readonly session: Session;
  readonly feed: ChangeFeed;
  readonly hub: ChangeHub;
  readonly config: PostgresConfig;
  readonly clock: Clock;
  readonly from: Lsn;
  /** The position could not be written down; capturing goes on. */
  readonly onKeepFailed: (error: unknown) => void;
}

/** @throws Error of the server when it does not begin. */
export const startStreaming = async (options: StreamingOptions): Promise<Streaming> => {
  const { session, feed, hub, config, clock } = options;
  const { replication, database } = session;
  const { progress } = feed;
  const parser = pgOutputParser();
  const assemble = transactionAssembler(feed);
  let kept = 0n;
  let isConfirming = false;
  let isEnded = false;
  let cancelKeep: (() => void) | undefined;
  /** Since the server was heard of; not while nobody listens. */
  let silentIntervals = 0;
  let isPaused = false;
  let isHeld = false;

  const confirm = (): void => {
    isConfirming = false;
    if (!isEnded) replication.confirm(progress.confirmed.position);
  };
  const standBy = (): void => {
    if (isEnded) return;
    if (!isPaused) silentIntervals += 1;
    if (silentIntervals > SILENT_INTERVALS) {
      replication.abandon(new Error(`the server has said nothing for ${SILENT_INTERVALS} standby intervals`));
    } else replication.confirm(progress.confirmed.position, true);
  };
  const keep = async (): Promise<void> => {
    const { worthKeeping } = progress.confirmed;
    if (worthKeeping <= kept || config.temporary) return;
    await database.saveOffset(config.slot_name, worthKeeping);
    kept = worthKeeping;
  };
  const advanced = (): void => {
    if (isEnded) return;
    if (!isConfirming) {
      isConfirming = true;
      setImmediate(confirm);
    }
    if (progress.confirmed.worthKeeping <= kept) return;
    // The first at once: it is what tells that a snapshot has been handled.
    cancelKeep ??= clock.after(kept === 0n ? 0 : KEEP_EVERY_MS, () => {
      cancelKeep = undefined;
      if (!isEnded) keep().catch(options.onKeepFailed);
    });
  };
  /** What consumers have not handled is not read: the server waits, and keeps its log. */
  const waitForRoom = (): void => {
    isPaused = true;
    replication.pause();
    void hub.room().then(() => {
      if (isEnded || isHeld) return;
      isPaused = false;
      silentIntervals = 0;
      replication.resume();
    });
  };

  const begun = replication.stream(
    {
      slot: config.slot_name,
      from: options.from,
      options: {
        proto_version: config.streaming ? '2' : '1',
        publication_names: `"${session.publication.replaceAll('"', '""')}"`,
        ...(session.major >= 14 && { messages: 'true' }),
        ...(config.streaming && { streaming: 'true' }),
      },
    },
    {
      data(bytes, from, lsn) {
        silentIntervals = 0;
        const wasFull = hub.isFull;
        assemble(parser.parse(bytes, from), lsn, bytes.length - from);
        if (!wasFull && hub.isFull) waitForRoom();
      },
      keepalive(position, wantsReply) {
        silentIntervals = 0;
        // Between transactions it tells that nothing of ours is before it; within one it says nothing of its rest.
        if (!feed.isWithinTransaction) progress.idle(position);
        if (wantsReply) confirm();
      },
    },
  );
  await answered(clock, begun);
  // What an earlier session has brought may still be too much.
  if (hub.isFull) waitForRoom();
  const cancelStandby = clock.every(config.standby_interval || DEFAULT_STANDBY_MS, standBy, { unref: true });
  return {
    advanced,
    async settle() {
      confirm();
      await keep();
    },
    hold() {
      isHeld = true;
      isPaused = true;
      replication.pause();
    },
    end() {
      isEnded = true;
      cancelStandby();
      cancelKeep?.();
    },
  };
};

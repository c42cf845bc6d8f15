import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from './random.ts';

/** One request of the harness: an attempt to publish one message, or to commit the rows of one batch. */
export interface Attempt {
  /** Of the message, or of the batch. */
  readonly n: number;
  /** Unique among all attempts. */
  readonly key: string;
  readonly traceId: string;
  readonly startedAt: number;
  /** When it was acknowledged; undefined: it failed, and may have taken effect or not. */
  acknowledgedAt: number | undefined;
}

export const ROWS_A_BATCH = 5;
/** Messages with an idempotency key: all attempts of one store one message. */
export const isOnce = (n: number): boolean => n % 2 === 0;
const isUndone = (batch: number): boolean => batch % 10 === 0;

/** Messages and rows that are acknowledged, and what is under way. */
export interface Load {
  readonly publishes: readonly Attempt[];
  readonly commits: readonly Attempt[];
  /** Acknowledged messages and rows, both together. */
  readonly acknowledged: number;
  readonly publishing: number;
  readonly committing: number;
  /** All of it is acknowledged. */
  readonly done: Promise<void>;
  /** What is not acknowledged stays so: a run that has failed ends. */
  stop(): void;
}

/** How far the work may go: it waits for the faults, so that every one of them finds some. */
export interface Pace {
  acknowledged: number;
}

const PUBLISHERS = 16;
const COMMITTERS = 4;
/** Neither of the two may be so far ahead of the other: each fault is to hit both. */
const MOST_AHEAD = 60;
const PATIENCE_MS = 20_000;
const PAUSE_MS = 25;

/**
 * Publishes and commits until everything is acknowledged, however often an attempt fails.
 * @param url where the program is now; undefined while it is away.
 */
export const startLoad = (
  url: () => string | undefined,
  random: Random,
  size: { readonly messages: number; readonly rows: number },
  pace: Pace,
): Load => {
  const publishes: Attempt[] = [];
  const commits: Attempt[] = [];
  const batches = size.rows / ROWS_A_BATCH;
  let nextMessage = 1;
  let nextBatch = 1;
  let published = 0;
  let committed = 0;
  let publishing = 0;
  let committing = 0;
  let stopped = false;
  const isStopped = (): boolean => stopped;

  const post = async (path: string, traceId: string, body: object): Promise<boolean> => {
    const base = url();
    if (base === undefined) return false;
    try {
      const response = await fetch(base + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${random.hex(16)}-01` },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false; // killed, refused, or silent for too long: tried again, as a careful client does
    }
  };
  const untilAcknowledged = async (
    attempts: Attempt[],
    n: number,
    send: (attempt: Attempt) => Promise<boolean>,
  ): Promise<void> => {
    for (let k = 1; !isStopped(); k += 1) {
      while (url() === undefined && !isStopped()) await wait(PAUSE_MS);
      const startedAt = performance.now();
      const attempt: Attempt = { n, key: `${n}.${k}`, traceId: random.hex(32), startedAt, acknowledgedAt: undefined };
      attempts.push(attempt);
      if (await send(attempt)) {
        attempt.acknowledgedAt = performance.now();
        return;
      }
      await wait(PAUSE_MS);
    }
  };
  const isEnough = (): boolean => published + committed >= pace.acknowledged && !isStopped();
  const publisher = async (): Promise<void> => {
    while (nextMessage <= size.messages && !isStopped()) {
      const n = nextMessage;
      nextMessage += 1;
      while (isEnough() || (!isStopped() && published > committed + MOST_AHEAD && committed < size.rows))
        await wait(PAUSE_MS);
      publishing += 1;
      await untilAcknowledged(publishes, n, ({ key, traceId }) =>
        post('/publish', traceId, { n, key, once: isOnce(n) }),
      );
      publishing -= 1;
      published += 1;
    }
  };
  const committer = async (): Promise<void> => {
    while (nextBatch <= batches && !isStopped()) {
      const batch = nextBatch;
      nextBatch += 1;
      while (isEnough() || (!isStopped() && committed > published + MOST_AHEAD && published < size.messages))
        await wait(PAUSE_MS);
      committing += 1;
      await untilAcknowledged(commits, batch, ({ traceId }) =>
        post('/commit', traceId, { batch, ids: rowsOf(batch), undone: isUndone(batch) }),
      );
      committing -= 1;
      committed += ROWS_A_BATCH;
    }
  };
  const workers = [...Array.from({ length: PUBLISHERS }, publisher), ...Array.from({ length: COMMITTERS }, committer)];
  return {
    publishes,
    commits,
    get acknowledged() {
      return published + committed;
    },
    get publishing() {
      return publishing;
    },
    get committing() {
      return committing;
    },
    done: Promise.all(workers).then(() => {}),
    stop() {
      stopped = true;
    },
  };
};

export const rowsOf = (batch: number): number[] =>
  Array.from({ length: ROWS_A_BATCH }, (_, i) => (batch - 1) * ROWS_A_BATCH + i + 1);
export const batchOf = (row: number): number => Math.ceil(row / ROWS_A_BATCH);

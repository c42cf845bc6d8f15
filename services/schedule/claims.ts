import type { Cancel, Clock } from '../../runtime/clock.ts';
import { canceled } from '../../runtime/errors.ts';
import type { ScheduleConfig } from './kinds.ts';
import { answerOf, type Claim, type TickLock } from './lock.ts';

const RETRY_MS = 1000;

export interface ClaimsOptions {
  readonly clock: Clock;
  readonly lock: TickLock;
  readonly overlap: ScheduleConfig['overlap'];
  /** Begins the name of each of this machine's claims. */
  readonly machine: string;
  /** Never throws. */
  readonly claimed: (claim: Claim, holder: string, tick: number) => void;
  /** The server could not be asked; it is asked again until the next tick comes. */
  readonly failed: (error: unknown) => void;
  readonly answered: () => void;
  /** The next one has come, or the stop, and nobody has said whose this one was. */
  readonly givenUp: (tick: number, isStopping: boolean) => void;
}

/**
 * Asks the lock for one tick after the other: the newest, because what comes late comes once. While the server is away nobody
 * knows whose a tick is, so that it waits.
 */
export interface Claims {
  /** The clock of the server, as far as this machine knows it. */
  readonly time: Clock;
  start(): Promise<void>;
  add(tick: number): void;
  /** What waits is given up; what is being asked is told still. */
  close(): void;
  /** Resolves when nothing is being asked. */
  idle(): Promise<void>;
  /** Cuts off what is being asked. */
  stop(): void;
}

export const tickClaims = (options: ClaimsOptions): Claims => {
  const { clock, lock, overlap, machine } = options;
  let offset = 0;
  let next: number | undefined;
  let asked: number | undefined;
  let isClosed = true;
  let asking: Promise<void> = Promise.resolve();
  let isAsking = false;
  let wake: () => void = () => {};
  let stopping = new AbortController();

  /** With the time that the answer shows, halfway between question and answer. */
  const ask = async <T>(question: (signal: AbortSignal) => Promise<T>, nowOf: (answer: T) => number): Promise<T> => {
    const before = clock.systemTime();
    const answer = await answerOf(clock, question, stopping.signal);
    offset = nowOf(answer) - (before + clock.systemTime()) / 2;
    return answer;
  };
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel: Cancel = clock.after(RETRY_MS, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });

  const loop = async (): Promise<void> => {
    while (next !== undefined) {
      const tick = next;
      asked = tick;
      const holder = `${machine}:${tick}`;
      try {
        const { claim } = await ask(
          (signal) => lock.claim(tick, holder, overlap, signal),
          ({ now }) => now,
        );
        if (next === tick) next = undefined;
        options.answered();
        options.claimed(claim, holder, tick);
      } catch (error) {
        if (!stopping.signal.aborted) options.failed(error);
        if (next !== tick || isClosed) {
          if (next === tick) next = undefined;
          options.givenUp(tick, isClosed);
          continue;
        }
        asked = undefined;
        await pause();
      } finally {
        asked = undefined;
      }
    }
    isAsking = false;
  };

  return {
    time: { ...clock, systemTime: () => clock.systemTime() + offset },
    async start() {
      stopping = new AbortController();
      await ask(
        (signal) => lock.prepare(signal),
        (now) => now,
      );
      isClosed = false;
    },
    add(tick) {
      if (isClosed) return;
      if (next !== undefined && next !== asked) options.givenUp(next, false);
      next = tick;
      wake();
      if (isAsking) return;
      isAsking = true;
      asking = loop();
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      if (next !== undefined && next !== asked) {
        options.givenUp(next, true);
        next = undefined;
      }
      wake();
    },
    idle: () => asking,
    stop: () => stopping.abort(canceled('the schedule is stopping')),
  };
};

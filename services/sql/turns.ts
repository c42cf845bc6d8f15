import type { Clock } from '../../runtime/clock.ts';
import { type CallError, unavailable } from '../../runtime/errors.ts';
import { Fifo } from '../../runtime/fifo.ts';

interface Waiter {
  isOver: boolean;
  readonly enter: () => void;
  readonly refuse: (error: unknown) => void;
}

/** One user at a time, the others in order of arrival. */
export interface Turns {
  readonly isTaken: boolean;
  /**
   * Resolves to what ends the turn (idempotent).
   * @throws CallError Unavailable, retryable, after `ms` of waiting; the reason of `signal`; the error of `close`.
   */
  take(ms: number, signal: AbortSignal): Promise<() => void>;
  /** Refuses those who wait, and all who come. */
  close(error: CallError): void;
}

export const createTurns = (clock: Clock, busy: () => string): Turns => {
  const waiting = new Fifo<Waiter>();
  let isTaken = false;
  let closed: CallError | undefined;

  const hold = (): (() => void) => {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (next.isOver) continue;
        next.enter();
        return;
      }
      isTaken = false;
    };
  };
  return {
    get isTaken() {
      return isTaken;
    },
    async take(ms, signal) {
      if (closed !== undefined) throw closed;
      signal.throwIfAborted();
      if (!isTaken) {
        isTaken = true;
        return hold();
      }
      const turn = Promise.withResolvers<() => void>();
      const over = (settle: () => void): void => {
        if (waiter.isOver) return;
        waiter.isOver = true;
        cancel();
        signal.removeEventListener('abort', abort);
        settle();
      };
      const waiter: Waiter = {
        isOver: false,
        enter: () => over(() => turn.resolve(hold())),
        refuse: (error) => over(() => turn.reject(error)),
      };
      const abort = (): void => waiter.refuse(signal.reason);
      const cancel = clock.after(ms, () => waiter.refuse(unavailable(busy())));
      signal.addEventListener('abort', abort);
      waiting.push(waiter);
      return turn.promise;
    },
    close(error) {
      closed = error;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next.refuse(error);
    },
  };
};

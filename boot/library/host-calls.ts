import { CallError, canceled, unavailable } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';

/** The calls that a host program makes: none before the start, none once it stops, and the stop waits for those that run. */
export interface HostCalls {
  readonly component: Component;
  /** Lets no more in from now on; what the component's `drain` does once the other components are told as well. */
  close(): void;
  /**
   * Runs `body` with a signal that aborts with any of `signals`, and when the time to drain is over.
   * `isNested`: running work makes this call, which may still do so while the runtime drains.
   * @throws CallError Unavailable, retryable, when nothing is let in.
   */
  run<T>(signals: readonly AbortSignal[], isNested: boolean, body: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

type State = 'new' | 'open' | 'draining' | 'stopped';

const REFUSALS: Readonly<Record<Exclude<State, 'open'>, string>> = {
  new: 'the runtime has not started: await start() first',
  draining: 'draining',
  stopped: 'the runtime has stopped: make a new one',
};

/** Contexts abort with the CallError to fail with; a host's signal may say anything. */
const reasonOf = (reason: unknown): CallError => {
  if (reason instanceof CallError) return reason;
  const isTimeout = (reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
  return isTimeout
    ? new CallError('call timed out', { kind: 'Timeout', cause: reason })
    : canceled('call canceled by the host program', reason);
};

export const hostCalls = (): HostCalls => {
  let state: State = 'new';
  const running = new Map<AbortController, Promise<unknown>>();

  const settled = async (): Promise<void> => {
    await Promise.allSettled(running.values());
  };

  const close = (): void => {
    if (state === 'open') state = 'draining';
    else if (state === 'new') state = 'stopped'; // it never was open, and never will be
  };

  return {
    close,
    component: {
      name: 'host-calls',
      needs: [],
      async open() {
        if (state === 'new') state = 'open';
      },
      async drain(deadline) {
        close();
        const expired = Promise.withResolvers<void>();
        deadline.addEventListener('abort', () => expired.resolve(), { once: true });
        await Promise.race([settled(), expired.promise]);
        const late = running.size;
        if (late === 0) return;
        for (const controller of running.keys()) controller.abort(canceled('the runtime stops'));
        await settled();
        throw new Error(`${late} calls of the host program had to be cancelled`);
      },
      async stop() {
        state = 'stopped';
      },
    },
    async run(signals, isNested, body) {
      if (state !== 'open' && !(state === 'draining' && isNested)) throw unavailable(REFUSALS[state]);
      const controller = new AbortController();
      const abort = (event: Event): void => controller.abort(reasonOf((event.target as AbortSignal).reason));
      for (const signal of signals) {
        if (signal.aborted) throw reasonOf(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
      }
      const work = body(controller.signal);
      running.set(controller, work);
      try {
        return await work;
      } finally {
        running.delete(controller);
        for (const signal of signals) signal.removeEventListener('abort', abort);
      }
    },
  };
};

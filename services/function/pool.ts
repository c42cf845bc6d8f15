import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { CallContext } from '../../runtime/context.ts';
import type { LuaInstance, LuaProgram } from '../../runtime/lua/engine.ts';
import type { PoolShape } from './pool-shape.ts';

/** How long an instance that nobody needs is kept (declarations.md, section 3.1). */
const IDLE_MS = 30_000;

/** The Lua instances of one function: each runs one call at a time. */
export interface Pool {
  /**
   * An instance that nobody else uses: at once when there is one or one may be made, else in order of arrival.
   * @throws what the program's top level failed with, or the reason of `context.signal` when the wait is cancelled.
   */
  acquire(context: CallContext): LuaInstance | Promise<LuaInstance>;
  /** Hands an instance on to the next waiting call, keeps it, or drops it where it is not reusable. */
  release(instance: LuaInstance): void;
  /** Makes the instances of a `warm_start`. */
  warm(context: CallContext): void;
  /** Drops idle instances and their timer; waiting calls are served as the running ones end. */
  close(): void;
}

interface Waiter {
  readonly context: CallContext;
  readonly resolve: (instance: LuaInstance) => void;
  readonly reject: (error: unknown) => void;
  stopListening: () => void;
}
interface Idle {
  readonly instance: LuaInstance;
  /** clock.now(). */
  readonly since: number;
}

/** `onWaiting` is told +1 and -1 as calls begin and end to wait. */
export const instancePool = (
  program: LuaProgram,
  shape: PoolShape,
  clock: Clock,
  onWaiting: (change: 1 | -1) => void,
): Pool => {
  /** The most recently used last: what stays unused longest is at the front. */
  const idle: Idle[] = [];
  const waiting = new Set<Waiter>();
  let inUse = 0;
  let sweep: Cancel | undefined;
  let closed = false;

  const make = (context: CallContext): LuaInstance => {
    const instance = program.instantiate(context);
    inUse += 1;
    return instance;
  };
  const arm = (): void => {
    const oldest = idle[0];
    if (sweep !== undefined || oldest === undefined || idle.length <= shape.keep) return;
    sweep = clock.after(
      oldest.since + IDLE_MS - clock.now(),
      () => {
        sweep = undefined;
        const due = clock.now() - IDLE_MS;
        while (idle.length > shape.keep && (idle[0] as Idle).since <= due) idle.shift();
        arm();
      },
      { unref: true },
    );
  };
  const leave = (waiter: Waiter): void => {
    waiting.delete(waiter);
    waiter.stopListening();
    onWaiting(-1);
  };
  const wait = (context: CallContext): Promise<LuaInstance> =>
    new Promise((resolve, reject) => {
      const { signal } = context;
      const waiter: Waiter = { context, resolve, reject, stopListening: () => {} };
      const onAbort = (): void => {
        leave(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      waiter.stopListening = () => signal.removeEventListener('abort', onAbort);
      waiting.add(waiter);
      onWaiting(1);
    });
  /** A slot is free: the call that has waited longest takes it, with a new instance if need be. */
  const admit = (): void => {
    for (const waiter of waiting) {
      if (inUse >= shape.limit) return;
      leave(waiter);
      try {
        waiter.resolve(take() ?? make(waiter.context));
      } catch (error) {
        waiter.reject(error); // the slot stays free: the next one tries
      }
    }
  };
  const take = (): LuaInstance | undefined => {
    const kept = idle.pop();
    if (kept !== undefined) inUse += 1;
    return kept?.instance;
  };

  return {
    acquire(context) {
      if (context.cancellation.aborted) throw context.cancellation.reason;
      if (inUse >= shape.limit) return wait(context);
      return take() ?? make(context);
    },
    release(instance) {
      inUse -= 1;
      if (instance.reusable && !closed) {
        idle.push({ instance, since: clock.now() });
        arm();
      }
      if (waiting.size > 0) admit();
    },
    warm(context) {
      for (let left = shape.warm - idle.length - inUse; left > 0; left -= 1) {
        idle.push({ instance: program.instantiate(context), since: clock.now() });
      }
      arm();
    },
    close() {
      closed = true;
      idle.length = 0;
      sweep?.();
      sweep = undefined;
    },
  };
};

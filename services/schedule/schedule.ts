import { isPromise } from '../../runtime/call.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { canceled } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { componentOptions, type Lifecycle } from '../../runtime/lifecycle-schema.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import { FUNCTIONS } from '../function/port.ts';
import { PROCESSES } from '../process/port.ts';
import { SECURITY } from '../security/port.ts';
import { cronTimes } from './cron.ts';
import { declaredLock } from './declared-lock.ts';
import { randomDelays } from './delays.ts';
import type { ScheduleConfig } from './kinds.ts';
import { sharedTicks } from './shared-ticks.ts';
import { lossSite, runSite, skipSite } from './site.ts';
import { ownTicks, type TickHandler, type TickHandlerOptions } from './tick-handler.ts';
import { cronTicks, everyTicks, everyTimes, type Ticks } from './ticks.ts';

/** What is run, with everything that it needs of a call. */
type Target = (context: CallContext) => unknown;

/** `process.schedule` (extensions.md, section 6). It ticks from `open` to `drain`. */
export const schedule = (
  env: Env,
  { id, config }: Declared<ScheduleConfig>,
  random: () => number = Math.random,
  lockOf: typeof declaredLock = declaredLock,
): Component => {
  const { clock } = env;
  let target: Target | undefined;
  let context = rootContext;
  let stopping = new AbortController();
  let isOpen = false;

  const site = env.site(runSite(id, config), (call) => target?.(call.context));
  const skipped = env.site(skipSite(id), () => {});
  /** What went wrong is in the span, the count and the line of this run: nobody else waits for it. */
  const reported = (): void => {};
  const handlerOptions: TickHandlerOptions = {
    clock,
    overlap: config.overlap,
    delays: randomDelays(clock, config.jitter, random),
    skip: (reason) => void skipped({ input: reason, context: rootContext }),
    run() {
      try {
        const out = site({ input: undefined, context: context.withSignal(stopping.signal) });
        return isPromise(out) ? out.then(reported, reported) : undefined;
      } catch {
        return reported();
      }
    },
  };
  const shared = (lockId: string): TickHandler => {
    const lost = env.site(lossSite(id, lockId), () => {});
    return sharedTicks({
      ...handlerOptions,
      id,
      lockId,
      lock: lockOf(env, id, lockId),
      health: env.health(id),
      logger: env.logger.subsystem('schedule'),
      lose: (loss) => void lost({ input: loss, context: rootContext }),
    });
  };
  const handler = config.lock === undefined ? ownTicks(handlerOptions) : shared(config.lock);
  const ticks = ticksOf(handler.time, config);

  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    ticks.stop();
    handler.close();
  };
  const cancel = (): void => {
    stopping.abort(canceled(`schedule stopped: ${id}`));
    handler.stop();
  };

  return {
    name: id,
    ...componentOptions(config.lifecycle),
    async start() {
      target = targetOf(env, config);
      context = serviceContext(env, config.lifecycle);
      await handler.start();
    },
    async open() {
      if (isOpen) return;
      isOpen = true;
      stopping = new AbortController();
      ticks.start(handler.tick);
    },
    /** Lets what runs end; what outlasts the deadline is cancelled. */
    async drain(deadline) {
      close();
      if (deadline.aborted) cancel();
      deadline.addEventListener('abort', cancel, { once: true });
      await handler.idle();
      deadline.removeEventListener('abort', cancel);
    },
    async stop() {
      close();
      cancel();
      await handler.idle();
    },
  };
};

/** With a lock all machines must mean the same tick: intervals are counted from the epoch then, not from this program's start. */
const ticksOf = (clock: Clock, { cron, timezone, every = Number.POSITIVE_INFINITY, lock }: ScheduleConfig): Ticks => {
  if (cron !== undefined) return cronTicks(clock, cronTimes(cron, timezone));
  return lock === undefined ? everyTicks(clock, every) : cronTicks(clock, everyTimes(every));
};

const targetOf = (env: Env, { func, process, host, input }: ScheduleConfig): Target => {
  const args = input as readonly HostValue[]; // values of YAML or JSON
  if (process !== undefined && host !== undefined) {
    const processes = env.use(PROCESSES);
    return (context) => processes.exec({ id: process, host, args, context });
  }
  const functions = env.use(FUNCTIONS);
  return (context) => functions.call(func ?? '', args, context);
};

/** Nothing is inherited. Declared security is never left out: without what provides it the schedule does not start. */
const serviceContext = (env: Env, { security }: Lifecycle): CallContext =>
  security === undefined ? rootContext : env.use(SECURITY).serviceContext(security);

import { isPromise } from '../../runtime/call.ts';
import type { Cancel } from '../../runtime/clock.ts';
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
import type { ScheduleConfig } from './kinds.ts';
import { overlappingRuns } from './runs.ts';
import { runSite, skipSite } from './site.ts';
import { cronTicks, everyTicks } from './ticks.ts';

/** What is run, with everything that it needs of a call. */
type Target = (context: CallContext) => unknown;

/** `process.schedule` (extensions.md, section 6). It ticks from `open` to `drain`. */
export const schedule = (
  env: Env,
  { id, config }: Declared<ScheduleConfig>,
  random: () => number = Math.random,
): Component => {
  const { clock } = env;
  const ticks =
    config.cron === undefined
      ? everyTicks(clock, config.every ?? Number.POSITIVE_INFINITY)
      : cronTicks(clock, cronTimes(config.cron, config.timezone));
  let target: Target | undefined;
  let context = rootContext;
  let stopping = new AbortController();
  let isOpen = false;
  const delays = new Set<Cancel>();

  const site = env.site(runSite(id, config), (call) => target?.(call.context));
  const skipped = env.site(skipSite(id), () => {});
  const skip = (reason: string): void => void skipped({ input: reason, context: rootContext });
  /** What went wrong is in the span, the count and the line of this run: nobody else waits for it. */
  const reported = (): void => {};
  const run = (): void | Promise<void> => {
    try {
      const out = site({ input: undefined, context: context.withSignal(stopping.signal) });
      return isPromise(out) ? out.then(reported, reported) : undefined;
    } catch {
      return reported();
    }
  };
  const runs = overlappingRuns(config.overlap, run, skip);

  const tick = (): void => {
    if (config.jitter === 0) {
      runs.add();
      return;
    }
    const cancel = clock.after(random() * config.jitter, () => {
      delays.delete(cancel);
      runs.add();
    });
    delays.add(cancel);
  };
  /** No more ticks; those that have come and not run are skipped. */
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    ticks.stop();
    for (const cancel of delays) {
      cancel();
      skip('the schedule is stopping');
    }
    delays.clear();
    runs.clear();
  };
  const cancel = (): void => stopping.abort(canceled(`schedule stopped: ${id}`));

  return {
    name: id,
    ...componentOptions(config.lifecycle),
    async start() {
      target = targetOf(env, config);
      context = serviceContext(env, config.lifecycle);
    },
    async open() {
      if (isOpen) return;
      isOpen = true;
      stopping = new AbortController();
      ticks.start(tick);
    },
    /** Lets what runs end; what outlasts the deadline is cancelled. */
    async drain(deadline) {
      close();
      if (deadline.aborted) cancel();
      deadline.addEventListener('abort', cancel, { once: true });
      await runs.idle();
      deadline.removeEventListener('abort', cancel);
    },
    async stop() {
      close();
      cancel();
      await runs.idle();
    },
  };
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

import type { Cancel, Clock } from '../../runtime/clock.ts';
import { type CallError, messageOf, StartError } from '../../runtime/errors.ts';
import type { Health } from '../../runtime/health.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ServiceState, ServiceStatus } from '../../runtime/supervision.ts';
import { failureLog, type Step } from './failure-log.ts';
import { createRestarts } from './restarts.ts';
import { timedSteps } from './timed-steps.ts';
import { within } from './within.ts';

/** What an attempt that is under way may need to end when a stop is asked for; then it is stopped half way. */
const ATTEMPT_GRACE_MS = 1000;

/** One component and its lives: started, watched, restarted, stopped. */
export interface Service {
  readonly component: Component;
  /** It has run at least once, so that what needs it may start. */
  readonly hasRun: boolean;
  state(): ServiceState;
  /** The first start. @throws StartError where it is required; one that is optional is tried again in the background. */
  start(): Promise<void>;
  /** The first start cannot be: a need has not run. @throws StartError where it is required; else `startLate` or `giveUp`. */
  lack(need: string): void;
  /** The first start, in the background, now that every need has run. */
  startLate(): void;
  /** Not started ever: a need has failed for good. */
  giveUp(): void;
  /** Lets outside work in, where it runs. @throws as `start` */
  open(): Promise<void>;
  /** A stop was asked for: nothing is started again. */
  retire(): void;
  /** @throws Error */
  drain(withinMs: number): Promise<void>;
  /** Once, and only where it was started. @throws Error */
  stop(withinMs: number): Promise<void>;
}

export interface ServiceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined for what is no service of the app. */
  readonly health: Health | undefined;
  readonly random: () => number;
  /** The program is open: so is what starts from now on. */
  readonly isOpen: () => boolean;
  readonly isStopping: () => boolean;
  /** It runs, or has failed for good. */
  readonly onSettled: () => void;
}

/** What one start began. */
interface Life {
  /** Started, and opened where that was due: how it ends is dealt with at once. */
  isReady: boolean;
  /** How it ended before that. */
  outcome: { readonly error: CallError | undefined } | undefined;
}

const nothing: Cancel = () => {};

export const createService = (component: Component, options: ServiceOptions): Service => {
  const { clock, health } = options;
  const { name } = component;
  const steps = timedSteps(component, clock);
  const restarts = createRestarts(component.restart, clock, options.random);
  const log = failureLog(name, options.logger);
  let status: ServiceStatus = 'unknown';
  let desired: ServiceState['desired'] = 'stopped';
  let lastUpdate = 0;
  let startedAt = 0;
  let details = '';
  let attempts = 0;
  let hasRun = false;
  let isStopped = false;
  let life: Life | undefined;
  let cancelRestart = nothing;
  /** Steps of the component follow each other: a restart waits for an `open` that has not noticed the end yet. */
  let step: Promise<void> = Promise.resolve();

  const enter = (next: ServiceStatus): void => {
    status = next;
    lastUpdate = clock.wall();
  };
  const isOver = (): boolean => desired === 'stopped' || options.isStopping();

  const begin = async (): Promise<Life> => {
    attempts += 1;
    const mine: Life = { isReady: false, outcome: undefined };
    life = mine;
    await steps.start({ attempt: attempts, ended: (error) => ended(mine, error) });
    return mine;
  };

  /** What was begun runs. */
  const run = (mine: Life): void => {
    mine.isReady = true;
    hasRun = true;
    enter('running');
    startedAt = lastUpdate;
    health?.degraded(false);
    health?.activity();
    restarts.running(log.recovered);
    options.onSettled();
    if (mine.outcome !== undefined) conclude(mine.outcome.error);
  };

  const ended = (mine: Life, error: CallError | undefined): void => {
    if (life !== mine || isOver()) return;
    if (mine.isReady) conclude(error);
    else mine.outcome ??= { error };
  };

  const conclude = (error: CallError | undefined): void => {
    if (error !== undefined) return fail('run', error);
    life = undefined;
    restarts.over();
    enter('exited');
    log.exited();
  };

  /** Counts a failure; the next attempt is due after the policy's delay, where there is one. */
  const fail = (at: Step, cause: unknown): void => {
    life = undefined;
    details = messageOf(cause);
    health?.error(log.kindOf(at, cause));
    health?.degraded(true);
    const isNew = restarts.count === 0;
    const delayMs = restarts.afterFailure(cause);
    log.failed({ at, cause, isNew, delayMs, restarts: restarts.count });
    if (delayMs === undefined) return settle('failed');
    enter('starting');
    cancelRestart = clock.after(delayMs, startAgain);
  };
  const settle = (final: ServiceStatus): void => {
    enter(final);
    options.onSettled();
  };

  const startAgain = (): void => {
    step = step.then(attempt);
  };
  /** Never rejects. When a stop is asked for meanwhile, `stop` gives back what was begun. */
  const attempt = async (): Promise<void> => {
    if (isOver()) return;
    let at: Step = 'stop';
    let mine: Life;
    try {
      if (attempts > 0) {
        health?.restarted();
        await steps.stop(Number.POSITIVE_INFINITY);
        if (isOver()) return;
      }
      at = 'start';
      mine = await begin();
      at = 'open';
      if (options.isOpen() && !isOver()) await steps.open();
    } catch (error) {
      if (!isOver()) fail(at, error);
      return;
    }
    if (!isOver()) run(mine);
  };

  /** At the boot. @throws StartError where it is required */
  const refuse = (at: 'start' | 'open', cause: unknown): void => {
    if (component.startup === 'optional') return fail(at, cause);
    details = messageOf(cause);
    health?.error('init');
    health?.degraded(true);
    enter('failed');
    throw new StartError(`${name} could not ${at}: ${details}`, cause);
  };

  const retire = (): void => {
    desired = 'stopped';
    cancelRestart();
    restarts.over();
  };

  return {
    component,
    get hasRun() {
      return hasRun;
    },
    state: () => ({ id: name, status, desired, retryCount: restarts.count, lastUpdate, startedAt, details }),
    async start() {
      desired = 'running';
      enter('starting');
      let mine: Life;
      try {
        mine = await begin();
      } catch (error) {
        return refuse('start', error);
      }
      run(mine);
    },
    lack(need) {
      desired = 'running';
      const cause = new Error(`it needs ${need}, which could not start`);
      if (component.startup !== 'optional') return refuse('start', cause);
      details = cause.message;
      health?.error('init');
      health?.degraded(true);
      enter('starting');
      log.failed({ at: 'start', cause, isNew: true, delayMs: undefined, restarts: 0 });
    },
    startLate: startAgain,
    giveUp: () => settle('failed'),
    async open() {
      const mine = life;
      if (status !== 'running' || mine === undefined) return;
      const opening = steps.open();
      step = opening.catch(() => {}); // told below
      try {
        await opening;
      } catch (error) {
        if (life === mine) refuse('open', error); // else its end has been counted already
      }
    },
    retire,
    async drain(withinMs) {
      if (status !== 'running') return;
      enter('stopping');
      try {
        await steps.drain(withinMs);
      } catch (error) {
        throw new Error(`${name} could not drain: ${messageOf(error)}`, { cause: error });
      }
    },
    async stop(withinMs) {
      retire();
      if (isStopped || status === 'unknown') return;
      isStopped = true;
      const isStarting = status === 'starting';
      const end = clock.now() + withinMs;
      enter('stopping');
      life = undefined;
      try {
        // Whether the attempt ends in time or not: `stop` works half way as well.
        if (isStarting) await within(clock, Math.min(withinMs, ATTEMPT_GRACE_MS), step, '').catch(() => {});
        if (attempts > 0) await steps.stop(end - clock.now());
        enter('stopped');
      } catch (error) {
        details = messageOf(error);
        enter('failed');
        throw new Error(`${name} could not stop: ${details}`, { cause: error });
      }
    },
  };
};

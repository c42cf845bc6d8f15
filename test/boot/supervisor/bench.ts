import { createComponents } from '../../../boot/supervisor/components.ts';
import type { CallError } from '../../../runtime/errors.ts';
import type { Health } from '../../../runtime/health.ts';
import type { Component, ComponentLife, RestartPolicy } from '../../../runtime/lifecycle.ts';
import { type Logger, silentLogger } from '../../../runtime/logger.ts';
import { fakeClock } from '../../harness/fake-thread.ts';

/** Delays of 100, 200, 400 and then 500 ms, without jitter; stable after a second. */
export const POLICY: RestartPolicy = {
  initial_delay: 100,
  max_delay: 500,
  backoff_factor: 2,
  jitter: 0,
  stableThresholdMs: 1000,
  maxAttempts: 0,
};

/** What is due runs to its end; nothing here waits for anything but the fake clock. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A component of the test: steps that fail throw; `lives` is how its ends are told. */
export interface Actor {
  readonly component: Component;
  readonly lives: ComponentLife[];
  /** What the next step of that name does instead of succeeding at once. */
  next: Partial<Record<'start' | 'open' | 'stop', () => Promise<void>>>;
  /** Every step of that name until it is taken out. */
  always: Actor['next'];
}

/** A supervisor on a fake clock: what is done to its components, at which millisecond, and what is told of them. */
export const supervisorBench = (options: { random?: () => number } = {}) => {
  const clock = fakeClock();
  const steps: string[] = [];
  const lines: { level: string; message: string }[] = [];
  const told: string[] = [];
  const actors: Actor[] = [];
  let isStopping = false;

  const write = (level: string) => (message: string) => void lines.push({ level, message });
  const logger: Logger = {
    ...silentLogger,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const health = (name: string): Health => ({
    degraded: (on) => void told.push(`${name} ${on ? 'degraded' : 'well'}`),
    error: (kind) => void told.push(`${name} error ${kind}`),
    activity: () => {},
    restarted: () => void told.push(`${name} restarted`),
  });

  return {
    clock,
    /** `start a 0`: what was done, and when. */
    steps,
    lines,
    /** What health was told, activity left out. */
    told,
    /** Lines of a level, in order. */
    at: (level: string) => lines.filter((line) => line.level === level).map(({ message }) => message),
    actor(name: string, more: Partial<Component> = {}): Actor {
      const lives: ComponentLife[] = [];
      const step = (kind: 'start' | 'open' | 'stop') => async (): Promise<void> => {
        steps.push(`${kind} ${name} ${clock.now()}`);
        const body = actor.next[kind] ?? actor.always[kind];
        delete actor.next[kind];
        await body?.();
      };
      const actor: Actor = {
        lives,
        next: {},
        always: {},
        component: {
          name,
          needs: [],
          restart: POLICY,
          ...more,
          start(life) {
            if (life !== undefined) lives.push(life);
            return step('start')();
          },
          open: step('open'),
          stop: step('stop'),
        },
      };
      actors.push(actor);
      return actor;
    },
    supervise: () =>
      createComponents({
        components: actors.map(({ component }) => component),
        clock,
        logger,
        health,
        isStopping: () => isStopping,
        random: options.random,
      }),
    askToStop() {
      isStopping = true;
    },
    /** Time passes, and what falls due is done. */
    async pass(ms: number): Promise<void> {
      clock.advance(ms);
      await settle();
    },
  };
};

/** Ends the latest life of an actor, as it would itself. */
export const end = async (actor: Actor, error?: CallError): Promise<void> => {
  actor.lives.at(-1)?.ended(error);
  await settle();
};

import type { Clock } from '../runtime/clock.ts';
import { waitAtMost } from '../runtime/deadline.ts';
import { messageOf, StartError } from '../runtime/errors.ts';
import type { Health } from '../runtime/health.ts';
import type { Component } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/** What a component may need to end once its drain deadline has passed: it has been told, but has yet to answer. */
const DRAIN_GRACE_MS = 1000;

/** Starts components in the order of their needs and stops them in the reverse of what was started. */
export interface Components {
  /** @throws StartError naming the first required component that could not start; what runs by then is for `stop`. */
  start(): Promise<void>;
  /** Lets outside work in. @throws StartError */
  open(): Promise<void>;
  /** Tells all of them at once to let no more in; returns when everything in has ended or the deadline has passed. */
  drain(withinMs: number): Promise<readonly Error[]>;
  /** Every one is stopped, also after one that failed; idempotent, and harmless without a start. */
  stop(withinMs: number): Promise<readonly Error[]>;
}

export interface ComponentsOptions {
  readonly components: readonly Component[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** The health of a component; undefined for what is no service of the app. */
  readonly health?: (name: string) => Health | undefined;
  /** A stop was asked for: nothing more is started. */
  readonly isStopping?: () => boolean;
}

export const createComponents = ({ components, clock, logger, health, isStopping }: ComponentsOptions): Components => {
  const ordered = inOrder(components);
  const wanted = whatStarts(ordered);
  for (const component of wanted) health?.(component.name); // their rows exist from now on, at 0
  const touched: Component[] = [];
  const running = new Set<Component>();
  /** Names of optional components that could not start: what needs them cannot either. */
  const failed = new Set<string>();

  const fail = (component: Component, step: string, cause: unknown): void => {
    health?.(component.name)?.error('init');
    health?.(component.name)?.degraded(true);
    const error = new StartError(`${component.name} could not ${step}: ${messageOf(cause)}`, cause);
    if (component.startup !== 'optional') throw error;
    failed.add(component.name);
    logger.error(error.message, { component: component.name });
  };

  return {
    async start() {
      for (const component of wanted) {
        if (isStopping?.() === true) return;
        touched.push(component);
        const limit = component.startTimeoutMs ?? DEFAULT_TIMEOUT_MS;
        try {
          const missing = component.needs.find((name) => failed.has(name));
          if (missing !== undefined) throw new Error(`it needs ${missing}, which could not start`);
          await within(clock, limit, component.start?.(), `start_timeout of ${limit} ms has passed`);
          running.add(component);
          health?.(component.name)?.activity();
        } catch (error) {
          fail(component, 'start', error);
        }
      }
    },
    async open() {
      for (const component of running) {
        if (isStopping?.() === true) return;
        const limit = component.startTimeoutMs ?? DEFAULT_TIMEOUT_MS;
        try {
          await within(clock, limit, component.open?.(), `start_timeout of ${limit} ms has passed`);
        } catch (error) {
          fail(component, 'open', error);
        }
      }
    },
    async drain(withinMs) {
      const errors: Error[] = [];
      await Promise.all(
        [...running].map(async (component) => {
          const limit = Math.min(component.stopTimeoutMs ?? DEFAULT_TIMEOUT_MS, withinMs);
          const deadline = new AbortController();
          const text = `not drained within ${Math.round(limit)} ms`;
          const cancel = clock.after(limit, () => deadline.abort(new Error(text)));
          try {
            await within(clock, limit + DRAIN_GRACE_MS, component.drain?.(deadline.signal), text);
          } catch (error) {
            errors.push(new Error(`${component.name} could not drain: ${messageOf(error)}`, { cause: error }));
          } finally {
            cancel();
          }
        }),
      );
      return errors;
    },
    async stop(withinMs) {
      const errors: Error[] = [];
      const end = clock.now() + withinMs;
      for (let component = touched.pop(); component !== undefined; component = touched.pop()) {
        running.delete(component);
        const limit = Math.max(0, Math.min(component.stopTimeoutMs ?? DEFAULT_TIMEOUT_MS, end - clock.now()));
        try {
          await within(clock, limit, component.stop?.(), `stop_timeout of ${Math.round(limit)} ms has passed`);
        } catch (error) {
          errors.push(new Error(`${component.name} could not stop: ${messageOf(error)}`, { cause: error }));
        }
      }
      return errors;
    },
  };
};

/** Rejects with `text` when `work` takes longer. */
const within = async (clock: Clock, ms: number, work: Promise<void> | undefined, text: string): Promise<void> => {
  if (work !== undefined && !(await waitAtMost(clock, ms, work)).inTime) throw new Error(text);
};

/** Needs first. @throws StartError naming the members of a cycle. */
const inOrder = (components: readonly Component[]): readonly Component[] => {
  const byName = new Map(components.map((component) => [component.name, component]));
  const done = new Set<Component>();
  const path: Component[] = [];
  const out: Component[] = [];
  const visit = (component: Component): void => {
    if (done.has(component)) return;
    if (path.includes(component)) {
      const names = [...path.slice(path.indexOf(component)), component].map((one) => one.name);
      throw new StartError(`these need each other in a circle: ${names.join(' -> ')}. Remove one of the needs.`);
    }
    path.push(component);
    for (const name of component.needs) {
      const needed = byName.get(name);
      if (needed !== undefined) visit(needed);
    }
    path.pop();
    done.add(component);
    out.push(component);
  };
  for (const component of components) visit(component);
  return out;
};

/** Those that start by themselves, and what they need. */
const whatStarts = (ordered: readonly Component[]): readonly Component[] => {
  const names = new Set<string>();
  for (const component of [...ordered].reverse()) {
    if (component.autoStart === false && !names.has(component.name)) continue;
    names.add(component.name);
    for (const name of component.needs) names.add(name);
  }
  return ordered.filter((component) => names.has(component.name));
};

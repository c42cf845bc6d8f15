import type { Clock } from '../../runtime/clock.ts';
import type { Health } from '../../runtime/health.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Supervisor } from '../../runtime/supervision.ts';
import { inOrder, whatStarts } from './order.ts';
import { createService, type Service } from './service.ts';

/** Starts components in the order of their needs, keeps them running, and stops them in the reverse order. */
export interface Components extends Pick<Supervisor, 'state' | 'states'> {
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
  /** Whether a component is a service of the app, with a health and a state that is shown. Default: all are. */
  readonly isService?: (name: string) => boolean;
  readonly health?: (name: string) => Health;
  /** A stop was asked for: nothing more is started. */
  readonly isStopping?: () => boolean;
  /** In [0, 1), for the jitter of delays. Default Math.random. */
  readonly random?: () => number;
}

export const createComponents = (options: ComponentsOptions): Components => {
  const { isService = () => true, isStopping = () => false } = options;
  const ordered = inOrder(options.components);
  const starting = whatStarts(ordered);
  let isOpen = false;
  const services = ordered.map((component) =>
    createService(component, {
      clock: options.clock,
      logger: options.logger,
      random: options.random ?? Math.random,
      // The rows of those that start exist from now on, at 0.
      health: starting.has(component.name) && isService(component.name) ? options.health?.(component.name) : undefined,
      isOpen: () => isOpen,
      isStopping,
      onSettled: () => reconsider(),
    }),
  );
  const wanted = services.filter(({ component }) => starting.has(component.name));
  const byName = new Map(services.map((service) => [service.component.name, service]));
  const shown = services
    .filter(({ component }) => isService(component.name))
    .sort((a, b) => (a.component.name < b.component.name ? -1 : 1));
  /** Optional ones whose needs have not run yet. */
  const waiting = new Set<Service>();

  const lackedBy = ({ component }: Service): readonly Service[] =>
    component.needs.flatMap((name) => byName.get(name) ?? []).filter((need) => !need.hasRun);
  /** Starts those that have waited for what runs now; those that would wait for ever are given up. */
  const reconsider = (): void => {
    for (const service of waiting) {
      const lacked = lackedBy(service);
      const isHopeless = lacked.some((need) => need.state().status === 'failed');
      if (lacked.length > 0 && !isHopeless) continue;
      waiting.delete(service);
      if (isHopeless) service.giveUp();
      else service.startLate();
    }
  };

  const joined = async (work: Promise<void>, errors: Error[]): Promise<void> => {
    try {
      await work;
    } catch (error) {
      errors.push(error as Error);
    }
  };

  return {
    state: (id) => shown.find(({ component }) => component.name === id)?.state(),
    states: () => shown.map((service) => service.state()),
    async start() {
      for (const service of wanted) {
        if (isStopping()) return;
        const [lacked] = lackedBy(service);
        if (lacked === undefined) await service.start();
        else {
          waiting.add(service);
          service.lack(lacked.component.name);
          reconsider();
        }
      }
    },
    async open() {
      isOpen = true;
      for (const service of wanted) {
        if (isStopping()) return;
        await service.open();
      }
    },
    async drain(withinMs) {
      for (const service of services) service.retire();
      const errors: Error[] = [];
      await Promise.all(services.map((service) => joined(service.drain(withinMs), errors)));
      return errors;
    },
    async stop(withinMs) {
      for (const service of services) service.retire();
      const errors: Error[] = [];
      const end = options.clock.now() + withinMs;
      for (const service of [...services].reverse()) {
        await joined(service.stop(end - options.clock.now()), errors);
      }
      return errors;
    },
  };
};

import type { Env } from '../../runtime/env.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import type { Surface } from '../../runtime/surface.ts';
import { SECURITY } from '../security/port.ts';
import { eventBus } from './bus.ts';
import { eventMeters } from './instruments.ts';
import { eventsModule } from './module.ts';
import { EVENTS } from './port.ts';
import { subscriptionClass } from './subscription.ts';

/** One bus for the program; its subscriptions end with the calls and processes that hold them. */
const build = (env: Env): readonly Component[] => {
  const { engine, collector, settings } = env;
  const logger = env.logger.subsystem('events');
  const meters = eventMeters(collector);
  const { maxBacklog, maxSubscribers } = settings.events;
  const bus = eventBus({ maxSubscribers, meters, logger });
  env.provide(EVENTS, bus);
  engine.defineClass(subscriptionClass);
  engine.define(
    eventsModule({
      bus,
      engine,
      meters,
      logger,
      maxBacklog,
      // Asked for at each call: all surfaces are built by then.
      allows: (context, action, system) => env.find(SECURITY)?.allows(context, action, system) ?? true,
    }),
  );
  return [];
};

/** The module `events` (lua/events.md) and the bus that components publish on. No entry kinds. */
export const eventsSurface: Surface = { name: 'events', kinds: {}, modules: ['events'], build };

import { messageOf, unavailable } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { eventData } from './data.ts';
import type { EventMeters } from './instruments.ts';
import type { BusEvent, EventBus } from './port.ts';

export interface BusOptions {
  readonly maxSubscribers: number;
  readonly meters: EventMeters;
  readonly logger: Logger;
}

/** The bus as its own surface sees it. */
export interface Bus extends EventBus {
  /** `subscribe` for one who reports by itself what becomes of each event. */
  attach(system: string, kind: string, receive: Receive): () => void;
}
type Receive = (event: BusEvent) => void;

interface Subscriber {
  readonly system: string;
  /** Absent: `system` is exact. */
  readonly systemPrefix: string | undefined;
  readonly kind: string;
  readonly kindPrefix: string | undefined;
  readonly receive: Receive;
  isOpen: boolean;
  /** Its last event failed, and the log says so. */
  isFailing: boolean;
}

/** What a pattern that ends with `*` begins with; an empty pattern begins like every text. */
const prefixOf = (pattern: string): string | undefined => {
  if (pattern === '') return '';
  return pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
};
const hears = ({ kind, kindPrefix }: Subscriber, sent: string): boolean =>
  kindPrefix === undefined ? kind === sent : sent.startsWith(kindPrefix);

const NOBODY: readonly Subscriber[] = [];

/** Subscribers by system, so that a send to a system that nobody listens to is one look-up and a walk over the prefixes. */
export const eventBus = ({ maxSubscribers, meters, logger }: BusOptions): Bus => {
  const exact = new Map<string, Set<Subscriber>>();
  const prefixed = new Set<Subscriber>();
  let active = 0;
  let isRefusing = false;

  /** Fixed before the first is told: who subscribes while an event is handed out does not get it. */
  const receiversOf = (system: string, kind: string): readonly Subscriber[] => {
    let found: Subscriber[] | undefined;
    const add = (one: Subscriber): void => {
      if (found === undefined) found = [one];
      else found.push(one);
    };
    const named = exact.get(system);
    if (named !== undefined) for (const one of named) if (hears(one, kind)) add(one);
    for (const one of prefixed) {
      if (system.startsWith(one.systemPrefix as string) && hears(one, kind)) add(one);
    }
    return found ?? NOBODY;
  };

  const isHeard = (system: string, kind: string): boolean => {
    const named = exact.get(system);
    if (named !== undefined) for (const one of named) if (hears(one, kind)) return true;
    for (const one of prefixed) if (system.startsWith(one.systemPrefix as string) && hears(one, kind)) return true;
    return false;
  };

  /** One receiver that fails neither keeps the event from the others nor fails the sender. */
  const deliver = (event: BusEvent, receivers: readonly Subscriber[]): void => {
    for (const one of receivers) {
      if (!one.isOpen) continue;
      try {
        one.receive(event);
        one.isFailing = false;
      } catch (error) {
        if (!one.isFailing) {
          const { system, kind } = one;
          logger.error('a receiver of events has failed', { system, kind, error: messageOf(error) });
        }
        one.isFailing = true;
      }
    }
  };

  /** @throws CallError Unavailable; the first refusal of an episode is told in the log. */
  const claimPlace = (system: string): void => {
    if (active < maxSubscribers) {
      active += 1;
      isRefusing = false;
      return;
    }
    meters.rejected();
    const full = `the event bus has ${active} subscriptions, as many as events.max_subscribers allows. Close those that are not needed, or raise it.`;
    if (!isRefusing) logger.warn(full, { system });
    isRefusing = true;
    throw unavailable(full);
  };

  const join = (one: Subscriber): void => {
    if (one.systemPrefix !== undefined) {
      prefixed.add(one);
      return;
    }
    const named = exact.get(one.system);
    if (named === undefined) exact.set(one.system, new Set([one]));
    else named.add(one);
  };
  const leave = (one: Subscriber): void => {
    prefixed.delete(one);
    const named = exact.get(one.system);
    if (named?.delete(one) === true && named.size === 0) exact.delete(one.system);
  };

  const attach = (system: string, kind: string, receive: Receive): (() => void) => {
    claimPlace(system);
    const subscriber: Subscriber = {
      system,
      systemPrefix: prefixOf(system),
      kind,
      kindPrefix: prefixOf(kind),
      receive,
      isOpen: true,
      isFailing: false,
    };
    join(subscriber);
    meters.subscribers(1);
    return () => {
      if (!subscriber.isOpen) return;
      subscriber.isOpen = false;
      leave(subscriber);
      active -= 1;
      meters.subscribers(-1);
    };
  };

  return {
    attach,
    isHeard,
    publish: (event) => deliver(event, receiversOf(event.system, event.kind)),
    send({ system, kind, path, data }) {
      const receivers = receiversOf(system, kind);
      if (receivers.length === 0) return; // and nothing is copied
      const event = { system, kind, path };
      deliver(data === undefined ? event : { ...event, data: eventData(data) }, receivers);
    },
    subscribe: (system, kind, receive) =>
      attach(system, kind, (event) => {
        meters.delivered();
        receive(event);
      }),
  };
};

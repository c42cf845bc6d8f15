import { type PortKey, portKey } from '../../runtime/env.ts';
import type { HostValue } from '../../runtime/lua/values.ts';

/** As a component sends it. */
export interface SentEvent {
  readonly system: string;
  readonly kind: string;
  readonly path: string;
  /** Receivers get a copy of what Lua can represent of it (data.ts); the rest is nil. It may change after the send. */
  readonly data?: unknown;
}

/** As a receiver gets it: one object for all of them, which nobody changes. Lua makes a table of its own from it. */
export type BusEvent = {
  readonly system: string;
  readonly kind: string;
  readonly path: string;
  /** Absent when none was sent. */
  readonly data?: HostValue;
};

/** The bus of one runtime (lua/events.md). Components publish on it as Lua does. */
export interface EventBus {
  /**
   * Hands the event to those who listen now; costs a look-up where nobody does. A receiver that throws is told in the
   * log, and neither the sender nor the other receivers notice.
   */
  send(event: SentEvent): void;
  /** `send` for an event that is in its final form: it is not copied, and nobody changes it any more. */
  publish(event: BusEvent): void;
  /** Whether somebody would get such an event now: who publishes often need not make one that nobody hears. */
  isHeard(system: string, kind: string): boolean;
  /**
   * Calls `receive` for every matching event that is sent after this returned; the returned function ends it.
   * Patterns as in lua/events.md, section 1; an empty one matches everything. @throws CallError Unavailable beyond
   * `events.max_subscribers`.
   */
  subscribe(system: string, kind: string, receive: (event: BusEvent) => void): () => void;
}
/** Nobody provides it where `surfaces.events` is off: ask with `find`. */
export const EVENTS: PortKey<EventBus> = portKey('events');

import { type PortKey, portKey } from '../../runtime/env.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';

export interface BusEvent {
  readonly system: string;
  readonly kind: string;
  readonly path: string;
  /** A copy of its own for every receiver; absent when none was sent. */
  readonly data?: LuaValue;
}

/** The bus of one runtime (lua/events.md). Components publish on it as Lua does. */
export interface EventBus {
  send(event: BusEvent): void;
  /**
   * Calls `receive` for every matching event that is sent after this returned; the returned function ends it.
   * Patterns as in lua/events.md, section 1. @throws CallError Unavailable beyond `events.max_subscribers`.
   */
  subscribe(system: string, kind: string, receive: (event: BusEvent) => void): () => void;
}
export const EVENTS: PortKey<EventBus> = portKey('events');

import { Fifo } from '../../runtime/fifo.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type LuaChannel, type LuaClass, type LuaEngine, type LuaRun, NOTHING } from '../../runtime/lua/engine.ts';
import { hostObject } from '../../runtime/lua/values.ts';
import type { Bus } from './bus.ts';
import type { EventMeters } from './instruments.ts';
import type { BusEvent } from './port.ts';

/** Events in the channel; more of them wait behind it, up to `events.max_backlog` (lua/events.md, section 3). */
const CAPACITY = 64;

/** What subscriptions of Lua are made from. */
export interface SubscriptionSource {
  readonly bus: Bus;
  readonly engine: LuaEngine;
  readonly meters: EventMeters;
  readonly logger: Logger;
  readonly maxBacklog: number;
}

/** One hold of a run on the bus. Events are counted when Lua takes them, and when they are dropped: each once. */
export class Subscription {
  readonly [hostObject] = true as const;
  readonly channel: LuaChannel;
  readonly #source: SubscriptionSource;
  /** Those in the channel first, then those behind it. */
  readonly #waiting = new Fifo<BusEvent>();
  readonly #warn: () => void;
  readonly #detach: () => void;
  readonly #forget: () => void;
  /** Events are being dropped, and the log says so. */
  #isSlow = false;
  #isClosed = false;

  /** @throws CallError Unavailable beyond `events.max_subscribers`. */
  constructor(source: SubscriptionSource, run: LuaRun, system: string, kind: string) {
    const { bus, engine, meters, logger, maxBacklog } = source;
    this.#source = source;
    this.channel = engine.channel(CAPACITY, {
      take: () => {
        const event = this.#waiting.shift();
        if (event === undefined) return NOTHING;
        meters.delivered();
        return event;
      },
    });
    this.#warn = () =>
      logger.warn(
        'events are dropped: a subscription does not receive them fast enough. Receive faster, subscribe to less, or raise events.max_backlog.',
        { function_id: run.entryId, pid: run.pid, system, kind, max_backlog: maxBacklog },
        run.context,
      );
    this.#detach = bus.attach(system, kind, (event) => this.#take(event));
    this.#forget = run.defer(() => this.#end());
  }

  #take(event: BusEvent): void {
    const { channel } = this;
    if (channel.closed) {
      this.#drop('closed'); // Lua has closed the channel itself: what it left in there can still be received
      this.#detach();
    } else if (this.#waiting.size >= CAPACITY + this.#source.maxBacklog) {
      this.#drop('slow');
      if (!this.#isSlow) this.#warn();
      this.#isSlow = true;
    } else {
      // Only when nothing waits behind the channel has it caught up: one place that is free at times is no recovery.
      if (this.#waiting.size < CAPACITY) this.#isSlow = false;
      this.#waiting.push(event);
      channel.serve();
    }
  }

  #drop(reason: 'slow' | 'closed', count = 1): void {
    this.#source.meters.dropped(reason, count);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#forget();
    this.#end();
  }

  #end(): void {
    this.#isClosed = true;
    this.#detach();
    this.channel.close();
    const left = this.#waiting.size;
    this.#waiting.clear();
    if (left > 0) this.#drop('closed', left);
  }
}

export const subscriptionClass: LuaClass<Subscription> = {
  name: 'events.Subscription',
  constructor: Subscription,
  methods: {
    channel: (self) => [self.channel],
    close: (self) => {
      self.close();
      return [true];
    },
  },
  tostring: () => 'events.Subscription{}',
};

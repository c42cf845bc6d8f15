import { invalid } from '../errors.ts';
import { badArgument } from './arguments.ts';
import {
  type ChannelFeed,
  type HostFunction,
  type HostResults,
  type LuaChannel,
  type LuaClass,
  type LuaModule,
  LuaRaise,
  type LuaRun,
  type LuaThread,
  NOTHING,
  Suspension,
} from './engine.ts';
import { type HostValue, hostObject, LuaTable, vmSlot } from './values.ts';

/** One wait on one channel. A select has one per case, sharing `group`: the first that fires withdraws the others. */
interface Waiter {
  readonly group: WaitGroup;
  readonly thread: LuaThread;
  /** A waiting sender's value. */
  readonly value?: HostValue;
  /** A select's send case: a close only withdraws it, the select goes on waiting for its other cases. */
  readonly isSelectSend?: boolean;
  /** A receiver is given what arrived; a sender is told whether it was taken. */
  readonly fire: (value: HostValue, ok: boolean) => void;
}
interface WaitGroup {
  done: boolean;
  /** A call that has ended no longer waits; what it waited for goes to others. */
  readonly isOver: () => boolean;
}

const CLOSED = 'send on closed channel';

/** FIFO of values and of those who wait for them (lua/channel.md). Knows nothing of the engine but suspensions. */
export class Channel implements LuaChannel {
  readonly [hostObject] = true as const;
  [vmSlot]: object | undefined = undefined;
  readonly capacity: number;
  readonly #feed: ChannelFeed | undefined;
  readonly #values: HostValue[] = [];
  readonly #senders: Waiter[] = [];
  readonly #receivers: Waiter[] = [];
  #closed = false;

  constructor(capacity: number, feed?: ChannelFeed) {
    this.capacity = capacity;
    this.#feed = feed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get size(): number {
    return this.#values.length;
  }

  push(value: HostValue): boolean {
    if (this.#closed) return false;
    const receiver = nextWaiter(this.#receivers);
    if (receiver === undefined) this.#values.push(value);
    else receiver.fire(value, true);
    return true;
  }

  serve(): void {
    if (this.#feed === undefined) return;
    for (let receiver = nextWaiter(this.#receivers); receiver !== undefined; receiver = nextWaiter(this.#receivers)) {
      const value = this.#feed.take(receiver.thread);
      if (value === NOTHING) {
        receiver.group.done = false; // it goes on waiting, in its place
        this.#receivers.unshift(receiver);
        return;
      }
      receiver.fire(value, true);
    }
  }

  /** Hands a value over or buffers it, now or not at all. */
  trySend(value: HostValue): boolean {
    const receiver = nextWaiter(this.#receivers);
    if (receiver !== undefined) {
      receiver.fire(value, true);
      return true;
    }
    if (this.#values.length >= this.capacity) return false;
    this.#values.push(value);
    return true;
  }

  /** `[value, ok]`, or undefined when it would have to wait. */
  tryReceive(thread: LuaThread): readonly [HostValue, boolean] | undefined {
    if (this.#feed !== undefined) {
      const value = this.#feed.take(thread);
      if (value !== NOTHING) return [value, true];
    }
    if (this.#values.length > 0) {
      const value = this.#values.shift();
      const sender = nextWaiter(this.#senders); // a slot is free: the first waiting sender's value enters
      if (sender !== undefined) {
        this.#values.push(sender.value);
        sender.fire(undefined, true);
      }
      return [value, true];
    }
    const sender = nextWaiter(this.#senders);
    if (sender !== undefined) {
      sender.fire(undefined, true);
      return [sender.value, true];
    }
    return this.#closed ? [undefined, false] : undefined;
  }

  waitToSend(waiter: Waiter): void {
    this.#senders.push(waiter);
  }

  waitToReceive(waiter: Waiter): void {
    this.#receivers.push(waiter);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let w = nextWaiter(this.#receivers); w !== undefined; w = nextWaiter(this.#receivers))
      w.fire(undefined, false);
    for (const w of this.#senders.splice(0)) {
      if (w.isSelectSend === true || w.group.done || w.group.isOver()) continue;
      w.group.done = true;
      w.fire(undefined, false);
    }
  }
}

/** Takes the first waiter that still waits, and withdraws its group's other cases. */
const nextWaiter = (waiters: Waiter[]): Waiter | undefined => {
  for (let w = waiters.shift(); w !== undefined; w = waiters.shift()) {
    if (w.group.done || w.group.isOver()) continue;
    w.group.done = true;
    return w;
  }
  return undefined;
};

/** What `case_receive` and `case_send` make; may be used in any number of selects. */
export class ChannelCase {
  readonly [hostObject] = true as const;
  readonly channel: Channel;
  readonly direction: 'receive' | 'send';
  readonly value: HostValue;
  constructor(channel: Channel, direction: 'receive' | 'send', value?: HostValue) {
    this.channel = channel;
    this.direction = direction;
    this.value = value;
  }
}

type IsOver = (run: LuaRun) => boolean;

/** The class of channels; `isOver` tells whether a call has ended. */
export const channelClass = (isOver: IsOver): LuaClass<Channel> => ({
  name: 'channel',
  constructor: Channel,
  yields: ['send', 'receive'],
  byReference: ['send', 'case_send'],
  methods: {
    send(self, thread, [value]): HostResults | Suspension {
      if (self.closed) throw new LuaRaise(CLOSED);
      if (self.trySend(value)) return [true];
      return new Suspension((resume) => {
        self.waitToSend({
          group: { done: false, isOver: () => isOver(thread.run) },
          thread,
          value,
          fire: (_value, ok) => resume(ok ? [true] : [undefined, invalid(CLOSED)]),
        });
      });
    },
    receive(self, thread): HostResults | Suspension {
      const ready = self.tryReceive(thread);
      if (ready !== undefined) return ready;
      return new Suspension((resume) => {
        self.waitToReceive({
          group: { done: false, isOver: () => isOver(thread.run) },
          thread,
          fire: (value, ok) => resume([value, ok]),
        });
      });
    },
    close(self) {
      self.close();
    },
    case_receive: (self) => [new ChannelCase(self, 'receive')],
    case_send: (self, _thread, [value]) => [new ChannelCase(self, 'send', value)],
  },
});

export const channelCaseClass: LuaClass<ChannelCase> = { name: 'channel.case', constructor: ChannelCase, methods: {} };

const outcome = (one: ChannelCase, value: HostValue, ok: boolean): readonly HostValue[] => [
  { channel: one.channel, value: one.direction === 'send' ? one.value : value, ok },
];

/** Tries the cases in array order; the first that is ready takes effect (no randomisation). */
const firstReady = (cases: readonly ChannelCase[], thread: LuaThread): readonly HostValue[] | undefined => {
  for (const one of cases) {
    if (one.direction === 'receive') {
      const ready = one.channel.tryReceive(thread);
      if (ready !== undefined) return outcome(one, ready[0], ready[1]);
    } else if (!one.channel.closed && one.channel.trySend(one.value)) {
      return outcome(one, undefined, true);
    }
  }
  return undefined;
};

/** `channel.select` (lua/channel.md, section 2). Elements of the table that are no cases are ignored. */
const select =
  (isOver: IsOver): HostFunction =>
  (thread, [table, flag]) => {
    if (!(table instanceof LuaTable)) throw badArgument(1, 'select', 'table', table);
    const cases = table.sequence().filter((one) => (one as unknown) instanceof ChannelCase) as unknown as ChannelCase[];
    const ready = firstReady(cases, thread);
    if (ready !== undefined) return ready;
    if (table.get('default') === true || flag === true) return [{ default: true, ok: true }];
    return new Suspension((resume) => {
      const group: WaitGroup = { done: false, isOver: () => isOver(thread.run) };
      for (const one of cases) {
        if (one.direction === 'receive') {
          one.channel.waitToReceive({ group, thread, fire: (value, ok) => resume(outcome(one, value, ok)) });
        } else if (!one.channel.closed) {
          const fire = (): void => resume(outcome(one, undefined, true));
          one.channel.waitToSend({ group, thread, value: one.value, isSelectSend: true, fire });
        }
      }
    });
  };

export const channelModule = (isOver: IsOver): LuaModule => ({
  name: 'channel',
  isGlobal: true,
  functions: {
    new: (_thread, [capacity]) => {
      if (capacity !== undefined && typeof capacity !== 'number') throw badArgument(1, 'new', 'number', capacity);
      return [new Channel(Math.max(0, Math.trunc(capacity ?? 0)))];
    },
    select: select(isOver),
  },
  yields: ['select'],
});

import { Fifo } from '../../runtime/fifo.ts';
import { type LuaChannel, type LuaEngine, type LuaThread, NOTHING } from '../../runtime/lua/engine.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import { isSampled, TRACE } from '../../runtime/trace.ts';
import { type Message, plainValue } from './message.ts';

/** What takes the messages of one topic. */
interface Listener {
  readonly topic: string;
  readonly channel: LuaChannel;
  /** Messages of the topic that nobody has received yet. Empty for a channel of the user's own: it holds them itself. */
  readonly waiting: Fifo<Message>;
  readonly isOwn: boolean;
  asMessage: boolean;
}

const LISTEN_CAPACITY = 1;

/**
 * The messages and events of one process (lua/process.md, section 2). Nothing is dropped while it lives: what no channel
 * wants yet waits in the order of arrival, and is routed when somebody receives, so that a listener that is opened
 * after the inbox still gets the early messages of its topic.
 */
export class Mailbox {
  readonly #engine: LuaEngine;
  /** Messages of topics without a listener. */
  readonly #unrouted = new Fifo<Message>();
  #listeners: Map<string, Listener> | undefined;
  #inbox: LuaChannel | undefined;
  #events: LuaChannel | undefined;
  #waitingEvents: Fifo<HostValue> | undefined;
  #arrivals = 0;
  #depth = 0;

  constructor(engine: LuaEngine) {
    this.#engine = engine;
  }

  /** Messages that wait. */
  get depth(): number {
    return this.#depth;
  }

  /** Somebody has opened the events: what is told there may be heard. */
  get hasEvents(): boolean {
    return this.#events !== undefined;
  }

  deliver(message: Message): void {
    this.#arrivals += 1;
    message.order = this.#arrivals;
    const listener = this.#listeners?.get(message.topic);
    if (listener !== undefined) return this.#route(listener, message);
    this.#depth += 1;
    this.#unrouted.push(message);
    this.#inbox?.serve();
  }

  /** EXIT, LINK_DOWN, CANCEL: kept until `events()` is opened. */
  deliverEvent(event: HostValue): void {
    this.#waitingEvents ??= new Fifo();
    this.#waitingEvents.push(event);
    this.#events?.serve();
  }

  inbox(): LuaChannel {
    if (this.#inbox === undefined) {
      const inbox: LuaChannel = this.#engine.channel(0, {
        take: (thread) => (this.#inbox === inbox ? (this.#take(this.#unrouted, thread) ?? NOTHING) : NOTHING),
      });
      this.#inbox = inbox;
    }
    return this.#inbox;
  }

  events(): LuaChannel {
    if (this.#events === undefined) {
      const events: LuaChannel = this.#engine.channel(0, {
        take: () => (this.#events === events ? (this.#waitingEvents?.shift() ?? NOTHING) : NOTHING),
      });
      this.#events = events;
    }
    return this.#events;
  }

  /** The channel of a topic, the same on every call. */
  listen(topic: string, asMessage: boolean): LuaChannel {
    const known = this.#listeners?.get(topic);
    if (known !== undefined) {
      if (asMessage) known.asMessage = true;
      return known.channel;
    }
    const waiting = new Fifo<Message>();
    const listener: Listener = {
      topic,
      waiting,
      isOwn: false,
      asMessage,
      channel: this.#engine.channel(LISTEN_CAPACITY, {
        take: (thread) => {
          const message = this.#take(waiting, thread);
          if (message === undefined) return NOTHING;
          return listener.asMessage ? message : plainValue(message);
        },
      }),
    };
    this.#open(listener);
    return listener.channel;
  }

  /** Attaches a channel of the user's own to a topic. False when another one has it. */
  subscribe(topic: string, channel: LuaChannel): boolean {
    const known = this.#listeners?.get(topic);
    if (known !== undefined) return known.channel === channel;
    this.#open({ topic, channel, waiting: new Fifo(), isOwn: true, asMessage: false });
    return true;
  }

  /** Closes a channel that one of the above gave; its messages are routed anew. False for any other. */
  close(channel: LuaChannel): boolean {
    if (channel === this.#inbox) this.#inbox = undefined;
    else if (channel === this.#events) this.#events = undefined;
    else {
      const listener = [...(this.#listeners?.values() ?? [])].find((one) => one.channel === channel);
      if (listener === undefined) return false;
      this.#listeners?.delete(listener.topic);
      this.#giveBack(listener.waiting);
    }
    channel.close();
    return true;
  }

  /** The process has ended: nothing is kept. */
  drop(): void {
    this.#unrouted.clear();
    this.#waitingEvents = undefined;
    this.#listeners = undefined;
    this.#depth = 0;
  }

  #open(listener: Listener): void {
    this.#listeners ??= new Map();
    this.#listeners.set(listener.topic, listener);
    for (const message of this.#unrouted.extract((one) => one.topic === listener.topic)) {
      this.#depth -= 1;
      this.#route(listener, message);
    }
  }

  #route(listener: Listener, message: Message): void {
    if (listener.isOwn) {
      listener.channel.push(plainValue(message));
      return;
    }
    this.#depth += 1;
    listener.waiting.push(message);
    listener.channel.serve();
  }

  #take(from: Fifo<Message>, thread: LuaThread): Message | undefined {
    const message = from.shift();
    if (message === undefined) return undefined;
    this.#depth -= 1;
    linkTo(message, thread);
    return message;
  }

  #giveBack(waiting: Fifo<Message>): void {
    if (waiting.size === 0) return;
    const all = [...this.#unrouted, ...waiting].sort((a, b) => a.order - b.order);
    this.#unrouted.clear();
    waiting.clear();
    for (const message of all) this.#unrouted.push(message);
    this.#inbox?.serve();
  }
}

/** Spans that the coroutine starts from now on carry a link to the message's context (telemetry.md, section 2). */
const linkTo = ({ trace: received }: Message, thread: LuaThread): void => {
  const current = thread.context.get(TRACE);
  if (current === undefined || !isSampled(current) || current.received === received) return;
  const { traceId, spanId, flags, state, isRemote } = current;
  thread.context = thread.context.with(TRACE, { traceId, spanId, flags, state, isRemote, received });
};

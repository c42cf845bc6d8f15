import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { badArgument } from '../../../runtime/lua/arguments.ts';
import type { LuaChannel, LuaClass, LuaEngine, LuaRun } from '../../../runtime/lua/engine.ts';
import { type HostValue, hostObject } from '../../../runtime/lua/values.ts';
import { durationOf } from './duration.ts';
import type { Time } from './time.ts';

/** What timers are made from. */
export interface TimeSource {
  readonly clock: Clock;
  readonly engine: LuaEngine;
  now(): Time;
}

/** Values that a ticker keeps for a reader who is late; further ticks are dropped. */
const TICKER_CAPACITY = 16;
const NS_PER_MS = 1e6;

/** Milliseconds of a wait in nanoseconds. */
export const waitMs = (ns: bigint): number => Number(ns) / NS_PER_MS;

/** Fires once, and again after each `reset`; ends with its run. */
export class Timer {
  readonly [hostObject] = true as const;
  readonly channel: LuaChannel;
  readonly #source: TimeSource;
  readonly #run: LuaRun;
  #cancel: Cancel | undefined;

  constructor(source: TimeSource, run: LuaRun, ns: bigint) {
    this.#source = source;
    this.#run = run;
    this.channel = source.engine.channel(1);
    this.arm(ns);
  }

  arm(ns: bigint): void {
    const cancel = this.#source.clock.after(waitMs(ns), () => {
      release();
      this.#cancel = undefined;
      if (this.channel.size === 0) this.channel.push(this.#source.now()); // capacity 1: an unread value stays
    });
    const release = this.#run.defer(cancel);
    this.#cancel = () => {
      cancel();
      release();
    };
  }

  /** Whether it was pending. */
  disarm(): boolean {
    const cancel = this.#cancel;
    this.#cancel = undefined;
    cancel?.();
    return cancel !== undefined;
  }
}

/** Fires every period until it is stopped or its run ends. */
export class Ticker {
  readonly [hostObject] = true as const;
  readonly channel: LuaChannel;
  readonly #stop: () => void;

  constructor(source: TimeSource, run: LuaRun, ns: bigint) {
    const channel = source.engine.channel(TICKER_CAPACITY);
    this.channel = channel;
    const cancel = source.clock.every(waitMs(ns), () => {
      if (channel.size < TICKER_CAPACITY) channel.push(source.now());
    });
    const release = run.defer(cancel);
    this.#stop = () => {
      cancel();
      release();
    };
  }

  stop(): void {
    this.#stop();
    this.channel.close();
  }
}

const channelOf = (self: { channel: LuaChannel }): HostValue[] => [self.channel as unknown as HostValue];

export const timerClass: LuaClass<Timer> = {
  name: 'time.Timer',
  constructor: Timer,
  yields: ['stop', 'reset'],
  methods: {
    response: channelOf,
    channel: channelOf,
    stop: (self) => {
      const wasPending = self.disarm();
      self.channel.close();
      return [wasPending];
    },
    reset: (self, _thread, args) => {
      const ns = durationOf(args[0]);
      if (ns === undefined || ns <= 0n) throw badArgument(1, 'reset', 'duration above 0', args[0]);
      const wasPending = self.disarm();
      self.arm(ns);
      return [wasPending];
    },
  },
};

export const tickerClass: LuaClass<Ticker> = {
  name: 'time.Ticker',
  constructor: Ticker,
  yields: ['stop'],
  methods: {
    response: channelOf,
    channel: channelOf,
    stop: (self) => {
      self.stop();
      return [true];
    },
  },
};

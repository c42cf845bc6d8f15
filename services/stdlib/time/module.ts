import type { Clock } from '../../../runtime/clock.ts';
import { type CallError, invalid, notFound } from '../../../runtime/errors.ts';
import { textArgument } from '../../../runtime/lua/arguments.ts';
import {
  type HostFunction,
  type LuaChannel,
  type LuaEngine,
  type LuaThread,
  Suspension,
} from '../../../runtime/lua/engine.ts';
import type { HostValue, LuaValue } from '../../../runtime/lua/values.ts';
import { checkedTime, integerArgument, locationArgument } from './arguments.ts';
import { durationClass, locationClass, RFC3339, timeClass } from './classes.ts';
import { Duration, durationOf } from './duration.ts';
import { fixedZone, locations } from './location.ts';
import { parseTime } from './parse.ts';
import { Time, timeOfCivil } from './time.ts';
import { Ticker, Timer, type TimeSource, tickerClass, timerClass, waitMs } from './timers.ts';

const CONSTANTS: Readonly<Record<string, HostValue>> = {
  ...{ NANOSECOND: 1, MICROSECOND: 1e3, MILLISECOND: 1e6, SECOND: 1e9, MINUTE: 60e9, HOUR: 3600e9 },
  RFC3339,
  RFC3339NANO: '2006-01-02T15:04:05.999999999Z07:00',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  KITCHEN: '3:04PM',
  STAMP: 'Jan _2 15:04:05',
  STAMP_MILLI: 'Jan _2 15:04:05.000',
  STAMP_MICRO: 'Jan _2 15:04:05.000000',
  STAMP_NANO: 'Jan _2 15:04:05.000000000',
  DATE_TIME: '2006-01-02 15:04:05',
  DATE_ONLY: '2006-01-02',
  TIME_ONLY: '15:04:05',
  ...{ JANUARY: 1, FEBRUARY: 2, MARCH: 3, APRIL: 4, MAY: 5, JUNE: 6, JULY: 7, AUGUST: 8, SEPTEMBER: 9 },
  ...{ OCTOBER: 10, NOVEMBER: 11, DECEMBER: 12 },
  ...{ SUNDAY: 0, MONDAY: 1, TUESDAY: 2, WEDNESDAY: 3, THURSDAY: 4, FRIDAY: 5, SATURDAY: 6 },
};

/** Defines the module `time` (lua/time.md) and the classes of its objects. */
export const defineTime = (engine: LuaEngine, clock: Clock): void => {
  const zones = locations();
  const now = (): Time => {
    const wall = clock.wall();
    const seconds = Math.floor(wall / 1000);
    return new Time(seconds, Math.round((wall - seconds * 1000) * 1e6), zones.local);
  };
  const source: TimeSource = { clock, engine, now };

  /** A timer of some kind for a positive duration; else `nil, INVALID`. */
  const waiting =
    (make: (thread: LuaThread, ns: bigint) => HostValue): HostFunction =>
    (thread, args) => {
      const ns = durationOf(args[0]);
      if (ns === undefined) return [undefined, invalidDuration(args[0])];
      if (ns <= 0n) return [undefined, invalid('duration must be > 0')];
      return [make(thread, ns)];
    };

  const functions: Record<string, HostFunction> = {
    now: () => [now()],
    sleep: (thread, args) => {
      const ns = durationOf(args[0]);
      if (ns === undefined) return [undefined, invalidDuration(args[0])];
      return ns <= 0n ? [] : sleeping(clock, thread, waitMs(ns));
    },
    after: waiting((thread, ns) => afterChannel(source, thread, ns) as unknown as HostValue),
    timer: waiting((thread, ns) => new Timer(source, thread.run, ns)),
    ticker: waiting((thread, ns) => new Ticker(source, thread.run, ns)),
    date: (_thread, args) => {
      const at = (position: number): number => integerArgument(args, position, 'date');
      const parts = {
        year: at(1),
        month: at(2),
        day: at(3),
        hour: at(4),
        minute: at(5),
        second: at(6),
        nanosecond: at(7),
      };
      return [checkedTime(timeOfCivil(parts, locationArgument(args, 8, 'date', zones.local)))];
    },
    unix: (_thread, args) => {
      const ns = args[1] === undefined ? 0 : integerArgument(args, 2, 'unix');
      return [checkedTime(new Time(integerArgument(args, 1, 'unix'), ns, zones.local))];
    },
    parse: (_thread, args) => {
      const [layout, value] = [textArgument(args, 1, 'parse'), textArgument(args, 2, 'parse')];
      const time = parseTime(layout, value, locationArgument(args, 3, 'parse', zones.local), zones.utc);
      return time instanceof Time ? [time] : [undefined, invalid(time)];
    },
    parse_duration: (_thread, args) => {
      const ns = durationOf(args[0]);
      return ns === undefined ? [undefined, invalidDuration(args[0])] : [new Duration(ns)];
    },
    load_location: (_thread, args) => {
      const name = textArgument(args, 1, 'load_location');
      if (name === '') return [undefined, invalid('location name is empty')];
      const location = zones.load(name);
      return location === undefined ? [undefined, notFound(`unknown time zone ${name}`)] : [location];
    },
    fixed_zone: (_thread, args) => [
      fixedZone(textArgument(args, 1, 'fixed_zone'), integerArgument(args, 2, 'fixed_zone')),
    ],
  };

  const constants = { ...CONSTANTS, utc: zones.utc, localtz: zones.local };
  engine.defineClass(timeClass(zones));
  engine.defineClass(durationClass);
  engine.defineClass(locationClass);
  engine.defineClass(timerClass);
  engine.defineClass(tickerClass);
  engine.define({ name: 'time', functions, constants, yields: ['sleep', 'after', 'timer', 'ticker'] });
};

const invalidDuration = (value: LuaValue): CallError =>
  invalid(typeof value === 'string' ? `invalid duration ${JSON.stringify(value)}` : 'invalid duration');

/** Suspends the coroutine; ends early with the run, or with the error of its own signal. */
const sleeping = (clock: Clock, thread: LuaThread, ms: number): Suspension =>
  new Suspension((resume, raise) => {
    const { signal } = thread.context;
    // The engine itself ends a call whose own signal aborts; only a signal of the coroutine's own needs a listener.
    const isOwn = signal !== thread.run.context.signal;
    if (isOwn && signal.aborted) return raise(signal.reason);
    const stop = (): void => {
      cancel();
      release();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      stop();
      raise(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      stop();
      resume([]);
    });
    const release = thread.run.defer(() => {
      cancel();
      signal.removeEventListener('abort', onAbort);
    });
    if (isOwn) signal.addEventListener('abort', onAbort, { once: true });
  });

/** A channel that gives one Time and is closed after it. */
const afterChannel = (source: TimeSource, thread: LuaThread, ns: bigint): LuaChannel => {
  const channel = source.engine.channel(1);
  const cancel = source.clock.after(waitMs(ns), () => {
    release();
    channel.push(source.now());
    channel.close();
  });
  const release = thread.run.defer(cancel);
  return channel;
};

import { stringArgument } from '../../../runtime/lua/arguments.ts';
import { type LuaClass, LuaRaise } from '../../../runtime/lua/engine.ts';
import {
  checkedTime,
  durationArgument,
  durationObject,
  integerArgument,
  locationArgument,
  timeArgument,
} from './arguments.ts';
import { ZERO_TIME_SECONDS } from './calendar.ts';
import { Duration } from './duration.ts';
import { formatTime } from './format.ts';
import { Location, type Locations } from './location.ts';
import { addDate, type CivilTime, civilTime, roundTime, Time, truncateTime } from './time.ts';

/** A layout that is no UTF-8 keeps its bytes: a character each while it is worked on, as all that is filled in is ASCII. */
const formatted = (time: Time, layout: string | Uint8Array): string | Uint8Array =>
  typeof layout === 'string'
    ? formatTime(time, layout)
    : Buffer.from(formatTime(time, Buffer.from(layout).toString('latin1')), 'latin1');

export const RFC3339 = '2006-01-02T15:04:05Z07:00';

type TimeMethods = LuaClass<Time>['methods'];

const FIELDS: Readonly<Record<string, keyof CivilTime>> = {
  year: 'year',
  month: 'month',
  day: 'day',
  hour: 'hour',
  minute: 'minute',
  second: 'second',
  nanosecond: 'nanosecond',
  weekday: 'weekday',
  year_day: 'yearDay',
};

/** Time objects (lua/time.md, section 4). */
export const timeClass = (zones: Locations): LuaClass<Time> => {
  const methods: Record<string, TimeMethods[string]> = {
    add: (self, _thread, args) => [checkedTime(self.plus(durationArgument(args, 1, 'add')))],
    sub: (self, _thread, args) => [new Duration(self.total - timeArgument(args, 1, 'sub').total)],
    add_date: (self, _thread, args) => {
      const [years, months, days] = [1, 2, 3].map((position) => integerArgument(args, position, 'add_date'));
      return [checkedTime(addDate(self, years ?? 0, months ?? 0, days ?? 0))];
    },
    after: (self, _thread, args) => [compare(self, timeArgument(args, 1, 'after')) > 0],
    before: (self, _thread, args) => [compare(self, timeArgument(args, 1, 'before')) < 0],
    equal: (self, _thread, args) => [compare(self, timeArgument(args, 1, 'equal')) === 0],
    format: (self, _thread, args) => [formatted(self, stringArgument(args, 1, 'format'))],
    format_rfc3339: (self) => [formatTime(self, RFC3339)],
    unix: (self) => [self.unix],
    unix_nano: (self) => [Number(self.total)],
    date: (self) => {
      const { year, month, day } = civilTime(self);
      return [year, month, day];
    },
    clock: (self) => {
      const { hour, minute, second } = civilTime(self);
      return [hour, minute, second];
    },
    is_zero: (self) => [self.unix === ZERO_TIME_SECONDS && self.ns === 0],
    in_location: (self, _thread, args) => {
      if (args[0] === undefined) throw new LuaRaise("bad argument #1 to 'in_location' (Location expected, got nil)");
      return [self.in(locationArgument(args, 1, 'in_location', zones.local))];
    },
    utc: (self) => [self.in(zones.utc)],
    in_local: (self) => [self.in(zones.local)],
    location: (self) => [self.location],
    round: (self, _thread, args) => [roundTime(self, durationObject(args, 1, 'round').ns)],
    truncate: (self, _thread, args) => [truncateTime(self, durationObject(args, 1, 'truncate').ns)],
  };
  for (const [name, field] of Object.entries(FIELDS)) methods[name] = (self) => [civilTime(self)[field]];
  return {
    name: 'time.Time',
    constructor: Time,
    methods,
    tostring: (self) => formatTime(self, '2006-01-02 15:04:05.999999999 -0700 MST'),
  };
};

const compare = (a: Time, b: Time): number => a.unix - b.unix || a.ns - b.ns;

const whole = (unit: bigint) => (self: Duration) => [Number(self.ns / unit)]; // BigInt division cuts off towards zero
const fractional = (unit: bigint) => (self: Duration) => [
  Number(self.ns / unit) + Number(self.ns % unit) / Number(unit),
];

/** Duration objects (lua/time.md, section 5). */
export const durationClass: LuaClass<Duration> = {
  name: 'time.Duration',
  constructor: Duration,
  methods: {
    nanoseconds: whole(1n),
    microseconds: whole(1000n),
    milliseconds: whole(1_000_000n),
    seconds: fractional(1_000_000_000n),
    minutes: fractional(60_000_000_000n),
    hours: fractional(3_600_000_000_000n),
  },
  tostring: (self) => self.toString(),
};

/** Location objects (lua/time.md, section 6). */
export const locationClass: LuaClass<Location> = {
  name: 'time.Location',
  constructor: Location,
  methods: { string: (self) => [self.name] },
  tostring: (self) => self.name,
};

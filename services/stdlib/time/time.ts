import { hostObject } from '../../../runtime/lua/values.ts';
import { civilFromDays, DAY_SECONDS, daysFromCivil, NANOSECONDS, wallSeconds, ZERO_TIME_SECONDS } from './calendar.ts';
import { type Location, unixOfWall } from './location.ts';

/** A moment, exact to the nanosecond, and the zone that it is shown in. */
export class Time {
  readonly [hostObject] = true as const;
  /** Whole seconds since 1970-01-01 UTC, rounded down. */
  readonly unix: number;
  /** 0 to 999,999,999. */
  readonly ns: number;
  readonly location: Location;

  constructor(unix: number, ns: number, location: Location) {
    const carry = Math.floor(ns / NANOSECONDS);
    this.unix = unix + carry;
    this.ns = ns - carry * NANOSECONDS;
    this.location = location;
  }

  in(location: Location): Time {
    return new Time(this.unix, this.ns, location);
  }

  /** Nanoseconds since 1970: for arithmetic that a double cannot do. */
  get total(): bigint {
    return BigInt(this.unix) * BigInt(NANOSECONDS) + BigInt(this.ns);
  }

  plus(ns: bigint): Time {
    return timeOfTotal(this.total + ns, this.location);
  }
}

const timeOfTotal = (total: bigint, location: Location): Time => {
  const second = BigInt(NANOSECONDS);
  const rest = ((total % second) + second) % second;
  return new Time(Number((total - rest) / second), Number(rest), location);
};

/** What calendar and clock of the time's own zone show. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1-366. */
  readonly yearDay: number;
  readonly offset: number;
  readonly abbreviation: string;
}

export const civilTime = (time: Time): CivilTime => {
  const { offset, abbreviation } = time.location.at(time.unix);
  const wall = time.unix + offset;
  const days = Math.floor(wall / DAY_SECONDS);
  const rest = wall - days * DAY_SECONDS;
  const date = civilFromDays(days);
  return {
    ...date,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
    nanosecond: time.ns,
    weekday: (((days + 4) % 7) + 7) % 7, // 1970-01-01 was a Thursday
    yearDay: days - daysFromCivil(date.year, 1, 1) + 1,
    offset,
    abbreviation,
  };
};

/** The time at which clocks in `location` show these parts; parts out of range normalise. */
export const timeOfCivil = (
  parts: { year: number; month: number; day: number; hour: number; minute: number; second: number; nanosecond: number },
  location: Location,
): Time => {
  const carry = Math.floor(parts.nanosecond / NANOSECONDS);
  const wall = wallSeconds(parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second + carry);
  return new Time(unixOfWall(wall, location), parts.nanosecond - carry * NANOSECONDS, location);
};

/** Years and months first, then days, and a day outside its month counts on: 31 January + 1 month is 2 or 3 March. */
export const addDate = (time: Time, years: number, months: number, days: number): Time => {
  const c = civilTime(time);
  return timeOfCivil({ ...c, year: c.year + years, month: c.month + months, day: c.day + days }, time.location);
};

/** To a multiple of `step` nanoseconds since the zero time; a half goes up. */
export const roundTime = (time: Time, step: bigint): Time => {
  if (step <= 0n) return time;
  const rest = remainder(time, step);
  return time.plus(rest * 2n < step ? -rest : step - rest);
};
export const truncateTime = (time: Time, step: bigint): Time => (step <= 0n ? time : time.plus(-remainder(time, step)));

const remainder = (time: Time, step: bigint): bigint => {
  const rest = (time.total - BigInt(ZERO_TIME_SECONDS) * BigInt(NANOSECONDS)) % step;
  return rest < 0n ? rest + step : rest;
};
